import IsothermTesting
import Testing

@Suite("Corpora")
struct CorporaTests {
    @Test("the package root holds Package.swift, and a file that is not there is nil")
    func root() {
        #expect(Corpora.packageRoot.hasPrefix("/"))
        #expect(Corpora.own("no-such-corpus/x") == nil)
        #expect(Corpora.shared("no-such-corpus/x") == nil)
        #expect(Corpora.own("../Package.swift") != nil)
    }
}
