/// The 256 words of the gear hash that ``ContentDefinedChunker`` rolls over content.
///
/// The word of byte `b` is the first 8 bytes, big-endian, of the SHA-256 of the ASCII text `lockstep.gear.1` followed
/// by `b`. The table is part of the chunking format: it never changes under that name.
enum GearTable {
    static let words: [UInt64] = (UInt8.min...UInt8.max).map { byte in
        let digest = Digest.of(Array("lockstep.gear.1".utf8) + [byte])
        return digest.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
