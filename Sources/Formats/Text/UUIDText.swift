/// Appends the 36 characters of a UUID (RFC 9562, section 4), in lower case.
///
/// - Precondition: there are 16 bytes.
func appendUUIDText(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) {
    precondition(bytes.count == 16, "a UUID has 16 bytes")
    for (place, byte) in bytes.enumerated() {
        if place == 4 || place == 6 || place == 8 || place == 10 { text.append(UInt8(ascii: "-")) }
        for digit in [byte >> 4, byte & 15] { text.append(digit < 10 ? digit + 48 : digit + 87) }
    }
}
