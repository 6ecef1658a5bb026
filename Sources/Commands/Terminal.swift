// What the commands print with: whole lines to standard output and standard error, numbers in fixed form.
//
// Results go to standard output, remarks and progress to standard error, so that output can be piped.

import Glibc

package enum Terminal {
    /// Whether standard error is watched by a person: progress bars are drawn only then.
    package static let isWatched = isatty(2) == 1

    package static func line(_ text: String) { write(text + "\n", to: 1) }
    package static func remark(_ text: String) { write(text + "\n", to: 2) }

    /// Writes as is, all of it. A closed pipe ends quietly; standard output that cannot be written, as on a full disk, ends the process with an error: what was
    /// printed is cut, and must not look whole.
    package static func write(_ text: String, to descriptor: Int32) {
        if put(text, to: descriptor) || errno == EPIPE || descriptor != 1 { return }
        _ = put("error: cannot write standard output: \(Files.reason())\n", to: 2)
        exit(1)
    }

    /// False when not all could be written; `errno` says why.
    package static func put(_ text: String, to descriptor: Int32) -> Bool {
        var text = text
        return text.withUTF8 { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                // Safe: the slice lies in the string's own storage for the time of the call.
                let written = unsafe Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[rest.indices]).baseAddress, rest.count)
                if written < 0, errno == EINTR { continue }
                if written <= 0 { return false }
                unsafe rest = rest.dropFirst(written)
            }
            return true
        }
    }
}

/// `value` with so many digits after the point, rounded to nearest; "-" when it is not a number.
package func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return value.isNaN ? "-" : value < 0 ? "-inf" : "inf" }
    let scale = pow(10, Double(digits))
    let scaled = (abs(value) * scale).rounded()
    let whole = Int((scaled / scale).rounded(.down)), rest = Int(scaled - (scaled / scale).rounded(.down) * scale)
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return sign + String(whole) }
    let fraction = String(rest)
    return "\(sign)\(whole)." + String(repeating: "0", count: max(0, digits - fraction.count)) + fraction
}

/// Digits in groups of three: 19,406.
package func grouped(_ value: Int) -> String {
    let digits = String(value.magnitude)
    var result = ""
    for (i, digit) in digits.enumerated() {
        if i > 0, (digits.count - i) % 3 == 0 { result += "," }
        result.append(digit)
    }
    return (value < 0 ? "-" : "") + result
}

extension String {
    /// Filled with blanks on the right (or left) to a width; longer texts stay whole.
    package func padded(_ width: Int, left: Bool = false) -> String {
        let fill = String(repeating: " ", count: max(0, width - count))
        return left ? fill + self : self + fill
    }
}

/// Nanoseconds of the monotonic clock.
package func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    // Safe: the call fills the struct it is lent.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
}

/// Milliseconds since 1970.
package func wallMilliseconds() -> Int64 {
    var time = timespec()
    // Safe: as above.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) &* 1000 &+ Int64(time.tv_nsec) / 1_000_000
}
