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
        .executable(name: "formats-bench", targets: ["FormatsBench"])
    ],
    dependencies: [
        .package(name: "lockstep", path: "..")
    ],
    targets: [
        .target(name: "Measure", swiftSettings: settings),
        .executableTarget(name: "FormatsBench", dependencies: ["Measure", lockstepData], swiftSettings: settings),
    ]
)
