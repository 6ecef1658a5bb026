// swift-tools-version: 6.2
// Every target of Isotherm, in the order of the layers, lowest first. Who may import whom is in
// ARCHITECTURE.md; `--explicit-target-dependency-import-check error` makes it binding in CI.

import PackageDescription

let swift: [SwiftSetting] = [.swiftLanguageMode(.v6), .strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]

func layer(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swift)
}

func suite(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["IsothermTesting"],
        swiftSettings: [.swiftLanguageMode(.v6), .enableExperimentalFeature("Lifetimes")])
}

let package = Package(
    name: "isotherm",
    products: [.executable(name: "isotherm", targets: ["isotherm"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // Bytes: no files, no Foundation.
        .target(name: "CIsothermKernels"),
        .systemLibrary(name: "CIsothermLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        layer("Bytes", ["CIsothermKernels", "CIsothermLZ4"]),
        layer("JSON", ["Bytes"]),
        layer("Storage", ["Bytes"]),

        // Text to tokens, JSON to typed fields.
        .systemLibrary(name: "CIsothermICULink", pkgConfig: "icu-i18n", providers: [.apt(["libicu-dev"])]),
        .target(name: "CIsothermICU", dependencies: ["CIsothermICULink"]),
        .systemLibrary(name: "CIsothermStemmer", providers: [.apt(["libstemmer-dev"])]),
        layer("Analysis", ["Bytes", "CIsothermICU", "CIsothermStemmer"]),
        layer("Mappings", ["Analysis", "JSON", "Bytes"]),

        // Records of files, for bulk loads.
        .systemLibrary(name: "CIsothermZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        layer("BulkInput", ["JSON", "CIsothermZlib"]),

        // The index.
        layer("Segments", ["Storage", "Bytes"]),
        layer("Indexing", ["Segments", "Mappings", "Analysis", "Storage", "Bytes"]),
        layer("QueryDSL", ["JSON"]),
        layer("Search", ["QueryDSL", "Segments", "Mappings", "Analysis", "JSON", "Storage", "Bytes"]),
        layer("Engine", ["Search", "Indexing", "QueryDSL", "Segments", "Mappings", "Analysis", "JSON", "Storage", "Bytes"]),
        layer("Relevance", []),

        // The shop's transactions.
        .systemLibrary(name: "CIsothermCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        layer("Secrets", ["CIsothermCrypto"]),
        .target(name: "CIsothermCurl", linkerSettings: [.linkedLibrary("curl")]),
        layer("ObjectStorage", ["CIsothermCurl", "Storage", "Secrets"]),
        layer("Orders", ["Secrets", "JSON"]),
        .target(name: "CIsothermSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
        layer("OrdersSQLite", [
            "CIsothermSQLite", "Orders", "BulkInput", "Secrets", "JSON",
            .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
        ]),

        // The archive: the file format, the table.
        .systemLibrary(name: "CIsothermZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CIsothermSnappy", providers: [.apt(["libsnappy-dev"])]),
        layer("Parquet", ["Bytes", "CIsothermZstd", "CIsothermSnappy"]),
        layer("Archive", ["Parquet", "Storage", "JSON", "Bytes"]),

        // Between the tiers.
        layer("Tiering", ["Engine", "Search", "QueryDSL", "Archive", "ObjectStorage", "Orders", "Secrets", "Storage", "JSON", "Yams"]),

        // What a user meets.
        layer("Shop", ["Orders", "Secrets", "JSON"]),
        layer("ElasticAPI", ["Engine", "Search", "QueryDSL", "Mappings", "Analysis", "JSON"]),
        .systemLibrary(name: "CIsothermMalloc"),
        layer("IsothermNode", [
            "ElasticAPI", "Engine", "ObjectStorage", "QueryDSL", "Storage", "JSON", "CIsothermMalloc", "CIsothermZlib", "Yams", "Shop", "Tiering", "OrdersSQLite", "Orders", "Secrets",
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
        ]),
        layer("Commands", [
            "ElasticAPI", "Engine", "BulkInput", "Search", "QueryDSL", "Indexing", "Segments", "Mappings", "Storage", "JSON", "Bytes", "Relevance",
            "Shop", "Tiering", "Archive", "Parquet", "ObjectStorage", "OrdersSQLite", "Orders", "Secrets",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
        ]),
        .executableTarget(
            name: "isotherm",
            dependencies: ["Commands", "IsothermNode", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: swift),

        // Seeded randomness, faulty storage, paths to corpora: for tests only.
        layer("IsothermTesting", ["Storage", "Bytes"]),
        suite("BytesTests", ["Bytes"]),
        suite("EngineTests", ["Engine", "Search", "Indexing", "QueryDSL", "Segments", "Mappings", "Analysis", "JSON", "Storage", "Bytes"]),
        suite("ColumnTests", ["Indexing", "Segments", "Storage", "Bytes"]),
        suite("AggregationTests", ["Search", "Analysis", "QueryDSL", "Mappings", "JSON", "Indexing", "Segments", "Storage", "Bytes"]),
        suite("IsothermTestingTests", []),
        suite("RelevanceTests", ["Relevance"]),
        suite("SecretsTests", ["Secrets"]),
        suite("ObjectStorageTests", ["ObjectStorage", "Storage", "Secrets", "Bytes"]),
        suite("OrdersTests", ["Orders", "Secrets", "JSON"]),
        // A VFS that records, for power cuts.
        .target(name: "CIsothermPowerCut", linkerSettings: [.linkedLibrary("sqlite3")]),
        suite("OrdersSQLiteTests", ["CIsothermPowerCut", "OrdersSQLite", "Orders", "BulkInput", "Secrets", "JSON", .product(name: "GRDB", package: "GRDB.swift")]),
        suite("ShopTests", ["Shop", "OrdersSQLite", "Orders", "Secrets", "JSON"]),
        suite("TieringTests", ["Tiering", "OrdersSQLite", "Orders", "Engine", "Search", "QueryDSL", "Secrets", "Mappings", "Storage", "JSON"]),
        suite("CommandsTests", [
            "Commands", "Archive", "Tiering", "OrdersSQLite", "Orders", "Engine", "Search", "QueryDSL", "Storage", "JSON", .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
        ]),
        suite("IsothermNodeTests", [
            "IsothermNode", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
        ]),
        suite("ParquetTests", ["Parquet", "Bytes"]),
        suite("ArchiveTests", ["Archive", "Parquet", "ObjectStorage", "Storage", "JSON", "Bytes"]),
        suite("JSONTests", ["JSON"]),
        suite("BulkInputTests", ["BulkInput", "JSON"]),
        suite("MappingsTests", ["Mappings", "Analysis", "JSON"]),
        suite("QueryDSLTests", ["QueryDSL", "JSON"]),
        suite("ElasticAPITests", ["ElasticAPI", "Engine", "Storage", "JSON"]),
        suite("AnalysisTests", ["Analysis"]),
        suite("PlanTests", ["Search", "QueryDSL", "Indexing", "Segments", "Mappings", "Analysis", "Storage", "JSON", "Bytes"]),
        suite("SearchTests", ["Search", "Indexing", "QueryDSL", "Segments", "Mappings", "Analysis", "JSON", "Storage", "Bytes"]),
        suite("IndexingTests", ["Indexing", "Segments", "Mappings", "Analysis", "Storage", "Bytes"]),
    ])
