// Bit sets of filters, kept per segment and shared by all searches of a node. Segments are immutable, so an
// entry never goes stale; it goes with its segment.

package import Bytes
package import Segments
import Synchronization

package final class FilterCache: Sendable {
    package let bytesMax: Int
    package init(bytesMax: Int = 64 << 20) { self.bytesMax = bytesMax }
}
