// What endpoints work with: the node, and the little state that REST calls keep between them.

package import Engine

internal import Synchronization

package final class Services: Sendable {
    package struct Options: Sendable {
        package var nodeName = "isotherm"
        package var clusterName = "isotherm"
        package var clusterUUID = "isotherm-0000000000000"
        /// Answers as this major version of Elasticsearch gives them, unless a request says otherwise. 7 adds `_type`.
        package var compatibility = 8
        package var limits = APICall.Limits()
        /// A search that takes longer answers with what it has, `timed_out`.
        package var searchMillisecondsMax = 60_000
        package var httpAddress = "127.0.0.1:9200"
        /// Indexes that requests may not write, make, alias or delete.
        package var owned: Set<String> = []
        package init() {}
    }

    package let node: Node
    package let options: Options
    let scrolls: SearchContexts
    let templates = IndexTemplates()
    let clusterSettings = ClusterSettings()
    private let now: @Sendable () -> Int64

    /// - Parameter now: milliseconds since 1970.
    package init(node: Node, options: Options = Options(), now: @escaping @Sendable () -> Int64) {
        (self.node, self.options, self.now) = (node, options, now)
        scrolls = SearchContexts(countMax: options.limits.scrollsMax)
    }

    package var nowMilliseconds: Int64 { now() }
}
