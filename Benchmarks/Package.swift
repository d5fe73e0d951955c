// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let lockstepData = Target.Dependency.product(name: "LockstepData", package: "lockstep")

let package = Package(
    name: "benchmarks",
    products: [
        .executable(name: "formats-bench", targets: ["FormatsBench"]),
        .executable(name: "asof-bench", targets: ["AsOfBench"]),
        .executable(name: "expressions-bench", targets: ["ExpressionsBench"]),
        .executable(name: "windows-bench", targets: ["WindowsBench"]),
    ],
    dependencies: [
        .package(name: "lockstep", path: "..")
    ],
    targets: [
        .target(name: "Measure", dependencies: [lockstepData], swiftSettings: settings),
        .executableTarget(name: "FormatsBench", dependencies: ["Measure", lockstepData], swiftSettings: settings),
        .executableTarget(name: "ExpressionsBench", dependencies: ["Measure", lockstepData], swiftSettings: settings),
        .executableTarget(name: "WindowsBench", dependencies: ["Measure", lockstepData], swiftSettings: settings),
        .executableTarget(
            name: "AsOfBench",
            dependencies: ["Measure", lockstepData, .product(name: "Lockstep", package: "lockstep")],
            swiftSettings: settings
        ),
    ]
)
