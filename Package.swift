// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A room: what it may import is exactly what stands here, and every arrow points down.
func room(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func example(_ path: String, _ dependencies: [Target.Dependency]) -> Target {
    let name = String(path.split(separator: "/").last ?? "")
    return .executableTarget(name: name, dependencies: dependencies, path: "examples/\(path)", swiftSettings: settings)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "lockstep",
    products: [
        .executable(name: "lockstep", targets: ["LockstepCLI"]),
        // The training library, with the rooms whose types its users meet.
        .library(name: "Lockstep", targets: ["Lockstep", "Features", "Objects", "Parity", "Wire"]),
        // For Tests/interop, which loads it into a Python process.
        .library(name: "ArrowRoundTrip", type: .dynamic, targets: ["ArrowRoundTrip"]),
        // The data plane alone: columns, files and the kernels over them.
        .library(
            name: "LockstepData",
            targets: ["Columns", "Kernels", "Expressions", "Bins", "Embeddings", "Formats", "TimeZones"]
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CArrow"),
        .systemLibrary(name: "CLinux"),

        room("Columns"),
        room("TimeZones"),
        room("Kernels", ["Columns"]),
        room("Expressions", ["Columns", "Kernels", "TimeZones"]),
        room("Bins", ["Columns", "Kernels"]),
        room("Embeddings", ["Columns", "Kernels"]),

        room("Formats", ["CArrow", "CLZ4", "CSnappy", "CZlib", "CZstd", "Columns", "TimeZones"]),
        room("Objects", ["CLZ4", "CLinux", crypto]),
        room("S3Objects", ["Objects", asyncHTTPClient, crypto, nioCore, nioHTTP1]),
        room("Datasets", ["CLinux", "Objects"]),

        room(
            "Features",
            ["Columns", "Kernels", "Expressions", "Bins", "Embeddings", "Formats", "Objects", "TimeZones", yams]
        ),

        room("Postgres", ["CPostgres"]),
        room(
            "Catalog",
            ["Expressions", "Features", "Formats", "Objects", "Postgres"],
            resources: [.embedInCode("Migrations")]
        ),
        room("Parity", ["Columns", "Features", "Formats", "Objects"]),
        room("Wire", ["Columns", "Features", "Formats"]),
        room(
            "Service",
            [
                "Bins", "Catalog", "Columns", "Datasets", "Embeddings", "Expressions", "Features", "Formats", "Kernels",
                "Objects", "Postgres", "S3Objects", "Wire", httpTypes, hummingbird, logging, nioCore, serviceLifecycle,
            ]
        ),
        room(
            "Lockstep",
            [
                "Bins", "Columns", "Embeddings", "Expressions", "Features", "Formats", "Kernels", "Objects", "Parity",
                "Wire", asyncHTTPClient, nioCore, nioHTTP1,
            ]
        ),
        .executableTarget(
            name: "LockstepCLI",
            dependencies: [
                "Columns", "Datasets", "Embeddings", "Expressions", "Features", "Formats", "Lockstep", "Objects",
                "Parity", "Postgres", "Service", "TimeZones", "Wire", argumentParser, logging, nioHTTP1, yams,
            ],
            swiftSettings: settings
        ),

        // What tests of several rooms need: stores that fail, an S3 server.
        .target(
            name: "StoreTesting",
            dependencies: ["Objects", "S3Objects", asyncHTTPClient, nioCore, nioHTTP1],
            path: "Tests/StoreTesting",
            exclude: ["requirements.txt", "s3_server.py"],
            swiftSettings: settings
        ),
        // A program for tests to kill.
        .executableTarget(
            name: "StoreTrial",
            dependencies: ["Objects", "S3Objects"],
            path: "Tests/StoreTrial",
            swiftSettings: settings
        ),
        .target(
            name: "ArrowRoundTrip",
            dependencies: ["CArrow", "Columns", "Formats"],
            path: "Tests/interop/ArrowRoundTrip",
            swiftSettings: settings
        ),

        example("flights/Sources/FlightsPrepare", ["CBLAS", "Columns", "Formats", "Kernels"]),
        example("flights/Sources/FlightsTrain", ["CBLAS", "Columns", "Formats", "Kernels", "Lockstep"]),

        tests("ColumnsTests", ["Columns"]),
        tests("TimeZonesTests", ["Postgres", "TimeZones"]),
        tests("KernelsTests", ["Columns", "Kernels"]),
        tests("ExpressionsTests", ["Columns", "Expressions", "Kernels"]),
        tests("BinsTests", ["Bins", "Columns"]),
        tests("EmbeddingsTests", ["Columns", "Embeddings"]),
        tests("FormatsTests", ["CArrow", "Columns", "Formats", "TimeZones"]),
        tests("ObjectsTests", ["CLZ4", "Objects"]),
        tests("S3ObjectsTests", ["Objects", "S3Objects", "StoreTesting", "StoreTrial", nioHTTP1]),
        tests("DatasetsTests", ["Datasets", "Objects"]),
        tests("PostgresTests", ["Postgres"]),
        tests(
            "FeaturesTests",
            ["Bins", "Columns", "Embeddings", "Expressions", "Features", "Formats", "Kernels", "Objects", "TimeZones"]
        ),
        tests("ParityTests", ["Columns", "Features", "Formats", "Objects", "Parity"]),
        tests("WireTests", ["Columns", "Features", "Formats", "TimeZones", "Wire"]),
        tests(
            "LockstepTests",
            ["Bins", "Columns", "Embeddings", "Expressions", "Features", "Formats", "Kernels", "Lockstep", "Objects"]
        ),
        tests(
            "SchemaTests",
            [
                "Catalog", "Columns", "Datasets", "Expressions", "Features", "Formats", "Kernels", "Objects",
                "Postgres", "Service",
                "Wire",
                hummingbird, yams,
            ]
        ),
        tests(
            "IntegrationTests",
            [
                "Catalog", "Columns", "Datasets", "Expressions", "Features", "Formats", "Kernels", "Lockstep",
                "Objects", "Postgres", "Service", "StoreTesting", "Wire", asyncHTTPClient, logging, nioCore, nioHTTP1,
            ]
        ),
    ]
)
