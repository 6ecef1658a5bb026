// Where test data lies: our own corpora in the repository, and the large shared ones in `../shared/corpora`
// beside it, which a test does without (and says so) where the folder is not there.

import Glibc

package enum Corpora {
    /// The path of a file of `../shared/corpora`, as "icecat-products/1.json.zip"; nil where it is absent.
    package static func shared(_ path: String) -> String? { existing(sibling("shared/corpora/" + path)) }

    /// The path of a file of the repository's `corpora`, as "shop/products.ndjson"; nil where it is absent.
    package static func own(_ path: String) -> String? { existing(packageRoot + "/corpora/" + path) }

    /// The path of a file of `Tests/Golden`, as "lucene/shop-scores.tsv"; it need not exist yet.
    package static func golden(_ path: String) -> String { packageRoot + "/Tests/Golden/" + path }

    /// The folder of Package.swift, links resolved: found from this very file, so that tests may run from
    /// any folder.
    package static let packageRoot: String = {
        let file = resolved(#filePath)
        return file.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    }()

    // MARK: -

    private static func sibling(_ path: String) -> String {
        packageRoot.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/" + path
    }

    private static func existing(_ path: String) -> String? { access(path, R_OK) == 0 ? path : nil }

    private static func resolved(_ path: String) -> String {
        // Safe: realpath allocates a C string that is copied and freed here.
        guard let real = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }
}
