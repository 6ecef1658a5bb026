// Opens an object store by its location: a folder's path (also as file:///path), or s3://bucket/prefix (`S3Configuration` has the options).

private import Glibc
package import Storage

package enum ObjectStores {
    /// - Parameter environment: a variable's value by its name; the process's own unless a test brings another.
    package static func open(location: String, environment: (String) -> String? = processEnvironment) throws(ObjectStoreError) -> any ObjectStore {
        if location.hasPrefix("s3://") { return S3ObjectStore(try S3Configuration(location: location, environment: environment)) }
        let path = location.hasPrefix("file://") ? String(location.dropFirst(7)) : location
        guard !path.isEmpty, !path.contains("://"), !path.utf8.contains(0) else {
            throw ObjectStoreError(.invalid, place: S3Configuration.withoutQuery(location), "neither a folder's path nor of the form s3://bucket/prefix")
        }
        do throws(StorageError) { return FolderObjectStore(try FileDirectory(path)) } catch { throw ObjectStoreError(error) }
    }

    package static func processEnvironment(_ name: String) -> String? {
        // Safe: getenv's string is copied at once; nothing in this program changes the environment.
        guard let text = unsafe getenv(name) else { return nil }
        return unsafe String(cString: text)
    }
}
