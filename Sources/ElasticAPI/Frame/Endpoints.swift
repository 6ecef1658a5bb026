// Every endpoint there is. To add one: a file in Endpoints/, a line here.

extension Router {
    static let endpoints: [any Endpoint.Type] = [
        InfoEndpoint.self,

        // Indexes
        IndexCreateEndpoint.self, IndexGetEndpoint.self, IndexDeleteEndpoint.self,
        MappingGetEndpoint.self, MappingPutEndpoint.self, FieldMappingGetEndpoint.self,
        SettingsGetEndpoint.self, SettingsPutEndpoint.self,
        AliasGetEndpoint.self, AliasPutEndpoint.self, AliasDeleteEndpoint.self, AliasesUpdateEndpoint.self,
        TemplateEndpoint.self,

        // Documents
        BulkEndpoint.self,
        DocumentIndexEndpoint.self, DocumentGetEndpoint.self, DocumentDeleteEndpoint.self, DocumentUpdateEndpoint.self, MultiGetEndpoint.self,
        ByQueryEndpoint.self, ReindexEndpoint.self,

        // Search
        SearchEndpoint.self, MultiSearchEndpoint.self, CountEndpoint.self, ExplainEndpoint.self, ValidateQueryEndpoint.self, FieldCapsEndpoint.self,
        ScrollEndpoint.self, ScrollClearEndpoint.self, PointInTimeOpenEndpoint.self, PointInTimeCloseEndpoint.self,
        AnalyzeEndpoint.self, ResolveIndexEndpoint.self,

        // Snapshots
        RepositoryEndpoint.self, RepositoryVerifyEndpoint.self, SnapshotCreateEndpoint.self, SnapshotGetEndpoint.self, SnapshotDeleteEndpoint.self,
        SnapshotCloneEndpoint.self, SnapshotStatusEndpoint.self, SnapshotRestoreEndpoint.self, CatRepositoriesEndpoint.self, CatSnapshotsEndpoint.self,

        // Upkeep
        RefreshEndpoint.self, FlushEndpoint.self, ForceMergeEndpoint.self, CacheClearEndpoint.self,
        ClusterHealthEndpoint.self, ClusterSettingsEndpoint.self, StatsEndpoint.self, NodesEndpoint.self,
        CatListEndpoint.self, CatIndicesEndpoint.self, CatHealthEndpoint.self, CatCountEndpoint.self, CatAliasesEndpoint.self, CatTemplatesEndpoint.self,
        CatShardsEndpoint.self, CatNodesEndpoint.self,
    ]
}
