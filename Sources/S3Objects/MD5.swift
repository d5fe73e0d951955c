import Crypto

/// The hash that S3 names parts by; it protects from nothing but accident.
enum MD5 {
    static func hex(_ bytes: [UInt8]) -> String {
        Insecure.MD5.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
