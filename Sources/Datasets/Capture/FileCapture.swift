import Objects
import Synchronization

/// One file read while nothing wrote to it.
struct CapturedFile: Sendable {
    /// As it was before the first byte was read and after the last.
    let status: FileStatus
    let object: ObjectReference
    /// When reading began: nanoseconds since 1970.
    let readAt: Int64
}

/// Reads files on all cores and stores their contents.
///
/// Files of up to ``wholeLimit`` bytes are contents of their own, larger ones are divided into chunks. Memory: about
/// 48 MiB and the pack in progress, whatever the size of the files; for each file some hundred bytes, for each chunk 40.
///
/// Size, both times and inode of a file are compared before and after it is read. One that changed is read again, and
/// refused if it does not hold still: what is stored was the file's content at one time.
struct FileCapture {
    /// The most bytes of a file that is stored whole: 1 MiB.
    static let wholeLimit = 1 << 20
    /// How often a file is read before it is refused.
    private static let attempts = 3
    private static let batchCount = 64
    private static let pieceSize = 2 << 20

    private let sink: ContentSink
    private let progress: @Sendable (_ bytes: Int) -> Void
    private let results: Results
    private let work: OrderedWork<Output>

    private enum Output: Sendable {
        case files([(position: Int, file: CapturedFile)], [PackedContent])
        case chunks([ChunkList.Part], [PackedContent])
        /// A file in chunks has been read; `nil` if in vain.
        case end(position: Int, CapturedFile?)
    }

    private final class Results: Sendable {
        let files: Mutex<[CapturedFile?]>
        let chunks = Mutex<[ChunkList.Part]>([])

        init(count: Int) { files = Mutex(Array(repeating: nil, count: count)) }
    }

    /// Stores files and returns them in order; blocks.
    ///
    /// - Parameter progress: told of each file's bytes once it is stored, from any thread, one call at a time.
    /// - Throws: ``SnapshotError/changedDuringCapture(path:)``; ``SnapshotError/symbolicLink(path:)`` or
    ///   ``SnapshotError/notAFile(path:)`` if a file made way for something else; the system's errors by path.
    static func run(
        _ files: [DiskPath],
        sizes: [Int],
        into sink: ContentSink,
        progress: @escaping @Sendable (_ bytes: Int) -> Void = { _ in }
    ) throws -> [CapturedFile] {
        try FileCapture(count: files.count, sink: sink, progress: progress).run(files, sizes)
    }

    private init(count: Int, sink: ContentSink, progress: @escaping @Sendable (_ bytes: Int) -> Void) {
        let results = Results(count: count)
        self.sink = sink
        self.progress = progress
        self.results = results
        work = OrderedWork(limit: 8) { output in
            switch output {
            case .files(let files, let contents):
                try sink.append(contents)
                results.files.withLock { list in
                    for (position, file) in files { list[position] = file }
                }
                for (_, file) in files { progress(file.object.size) }
            case .chunks(let parts, let contents):
                try sink.append(contents)
                results.chunks.withLock { $0 += parts }
            case .end(let position, let file):
                let parts = results.chunks.withLock { chunks in
                    defer { chunks = [] }
                    return chunks
                }
                guard let file else { return }
                let object = ObjectReference(
                    size: file.object.size,
                    digest: file.object.digest,
                    chunks: try sink.append(listOf: parts)
                )
                results.files.withLock {
                    $0[position] = CapturedFile(status: file.status, object: object, readAt: file.readAt)
                }
                progress(file.object.size)
            }
        }
    }

    private func run(_ files: [DiskPath], _ sizes: [Int]) throws -> [CapturedFile] {
        var batch: [(Int, DiskPath)] = []
        var batchSize = 0
        func submitBatch() throws {
            guard !batch.isEmpty else { return }
            let paths = batch
            (batch, batchSize) = ([], 0)
            try work.submit { [sink] in try Self.captureWhole(paths, sink) }
        }
        do {
            for (position, (path, size)) in zip(files, sizes).enumerated() {
                if size > Self.wholeLimit {
                    try submitBatch()
                    try captureInChunks(path, position)
                    continue
                }
                batch.append((position, path))
                batchSize += size
                if batch.count == Self.batchCount || batchSize >= Self.pieceSize { try submitBatch() }
            }
            try submitBatch()
        } catch {
            try? work.finish()
            throw error
        }
        try work.finish()
        // What grew past the limit after it was listed was left for here.
        var captured = results.files.withLock { $0 }
        for position in captured.indices where captured[position] == nil {
            try captureInChunks(files[position], position)
            try work.finish()
            captured[position] = results.files.withLock { $0[position] }
        }
        return captured.compactMap { $0 }
    }

    // MARK: Whole files

    private static func captureWhole(_ paths: [(Int, DiskPath)], _ sink: ContentSink) throws -> Output {
        var files: [(position: Int, file: CapturedFile)] = []
        var contents: [PackedContent] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: wholeLimit + 1, alignment: 16)
        defer { buffer.deallocate() }
        for (position, path) in paths {
            guard let (file, packed) = try captureWhole(path, buffer, sink) else { continue }
            files.append((position, file))
            if let packed { contents.append(packed) }
        }
        return .files(files, contents)
    }

    /// `nil` for a file that is too large by now.
    private static func captureWhole(
        _ path: DiskPath,
        _ buffer: UnsafeMutableRawBufferPointer,
        _ sink: ContentSink
    ) throws -> (CapturedFile, PackedContent?)? {
        for _ in 0..<attempts {
            let file = try OpenedFile(path)
            let (before, readAt) = try settledStatus(of: file)
            guard before.size <= wholeLimit else { return nil }
            let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<(before.size + 1)]))
            guard count == before.size, try file.status == before else { continue }
            let content = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            let (digest, packed) = try content.withMemoryRebound(to: UInt8.self) {
                try PackedContent.make($0, unless: sink.known.contains)
            }
            if let reason = sink.erased[digest] { throw SnapshotError.erased(path: path.text, reason: reason) }
            let object = ObjectReference(size: count, digest: digest)
            return (CapturedFile(status: before, object: object, readAt: readAt), packed)
        }
        throw SnapshotError.changedDuringCapture(path: path.text)
    }

    // MARK: Files in chunks

    private func captureInChunks(_ path: DiskPath, _ position: Int) throws {
        for _ in 0..<Self.attempts {
            let file = try OpenedFile(path)
            let (before, readAt) = try Self.settledStatus(of: file)
            let (digest, size) = try readChunks(of: file)
            guard size == before.size, try file.status == before else {
                try work.submit { .end(position: position, nil) }
                continue
            }
            if let reason = sink.erased[digest] { throw SnapshotError.erased(path: path.text, reason: reason) }
            let captured = CapturedFile(
                status: before,
                object: ObjectReference(size: size, digest: digest),
                readAt: readAt
            )
            return try work.submit { .end(position: position, captured) }
        }
        throw SnapshotError.changedDuringCapture(path: path.text)
    }

    /// Divides a file, hands its chunks on in pieces, and returns its digest and size.
    private func readChunks(of file: OpenedFile) throws -> (digest: Digest, size: Int) {
        var hasher = Digest.Hasher()
        var piece: [UInt8] = []
        var lengths: [Int] = []
        func submitPiece() throws {
            guard !lengths.isEmpty else { return }
            let (bytes, cuts) = (piece, lengths)
            (piece, lengths) = ([], [])
            try work.submit { [sink] in try Self.pack(bytes, cuts, sink) }
        }
        let size = try FileChunks.read(from: { try file.read(into: $0) }) { chunk in
            chunk.withUnsafeBufferPointer { chunk in
                hasher.update(UnsafeRawBufferPointer(chunk))
                if piece.isEmpty { piece.reserveCapacity(Self.pieceSize + ChunkSizes.standard.maximum) }
                piece.append(contentsOf: chunk)
            }
            lengths.append(chunk.count)
            if piece.count >= Self.pieceSize { try submitPiece() }
        }
        try submitPiece()
        return (hasher.finalize(), size)
    }

    private static func pack(_ bytes: [UInt8], _ lengths: [Int], _ sink: ContentSink) throws -> Output {
        var parts: [ChunkList.Part] = []
        var contents: [PackedContent] = []
        try bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            for length in lengths {
                let chunk = UnsafeBufferPointer(rebasing: bytes[start..<start + length])
                let (digest, packed) = try PackedContent.make(chunk, unless: sink.known.contains)
                parts.append(ChunkList.Part(digest: digest, size: length))
                if let packed { contents.append(packed) }
                start += length
            }
        }
        return .chunks(parts, contents)
    }

    // MARK: Digests alone

    /// A file that is read and not stored.
    static func digest(of path: DiskPath) throws -> CapturedFile {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: wholeLimit, alignment: 16)
        defer { buffer.deallocate() }
        for _ in 0..<attempts {
            let file = try OpenedFile(path)
            let (before, readAt) = try settledStatus(of: file)
            var hasher = Digest.Hasher()
            var size = 0
            while true {
                let count = try file.read(into: buffer)
                if count == 0 { break }
                hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                size += count
            }
            guard size == before.size, try file.status == before else { continue }
            let object = ObjectReference(size: size, digest: hasher.finalize())
            return CapturedFile(status: before, object: object, readAt: readAt)
        }
        throw SnapshotError.changedDuringCapture(path: path.text)
    }

    // MARK: Times

    /// The status of a file once its times can tell a later write, and when that was.
    ///
    /// The kernel stamps files with a clock that ticks every few milliseconds, so a write just before and a write just
    /// after would leave the same times.
    private static func settledStatus(of file: OpenedFile) throws(SnapshotError) -> (FileStatus, readAt: Int64) {
        let tick: Int64 = 20_000_000
        var status = try file.status
        var now = FileStatus.now
        let age = now - max(status.changed, status.modified)
        if (0..<tick).contains(age) {
            FileStatus.sleep(nanoseconds: tick - age)
            status = try file.status
            now = FileStatus.now
        }
        switch status.kind {
        case .file: return (status, now)
        case .symbolicLink: throw .symbolicLink(path: file.path.text)
        case .directory, .other: throw .notAFile(path: file.path.text)
        }
    }
}
