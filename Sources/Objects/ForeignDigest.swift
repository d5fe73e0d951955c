import Crypto
import FoundationEssentials

/// The name that another tool gives content: what its bytes must hash to.
public enum ForeignDigest: Hashable, Sendable {
    /// 32 lower-case hexadecimal digits, as DVC has them.
    case md5(String)
    /// 64 lower-case hexadecimal digits, as git-lfs has them.
    case sha256(String)

    public var hex: String {
        switch self {
        case .md5(let hex), .sha256(let hex): hex
        }
    }

    /// Hashes content that comes piece by piece, as the other tool does.
    public struct Hasher: Sendable {
        private enum State: Sendable {
            case md5(Insecure.MD5)
            case sha256(SHA256)
        }

        private var state: State

        /// A hasher of the kind that `digest` is.
        public init(_ digest: ForeignDigest) {
            switch digest {
            case .md5: state = .md5(Insecure.MD5())
            case .sha256: state = .sha256(SHA256())
            }
        }

        public mutating func update(_ bytes: UnsafeRawBufferPointer) {
            switch state {
            case .md5(var hasher):
                hasher.update(bufferPointer: bytes)
                state = .md5(hasher)
            case .sha256(var hasher):
                hasher.update(bufferPointer: bytes)
                state = .sha256(hasher)
            }
        }

        public func finalize() -> ForeignDigest {
            func hex(_ bytes: some Sequence<UInt8>) -> String {
                bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            }
            switch state {
            case .md5(let hasher): return .md5(hex(hasher.finalize()))
            case .sha256(let hasher): return .sha256(hex(hasher.finalize()))
            }
        }
    }
}

extension ForeignDigest: CustomStringConvertible {
    public var description: String {
        switch self {
        case .md5(let hex): "md5:\(hex)"
        case .sha256(let hex): "sha256:\(hex)"
        }
    }
}
