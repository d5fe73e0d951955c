import Objects

extension SnapshotContents {
    /// Opens what a snapshot needs.
    ///
    /// - Parameters:
    ///   - packs: those of the snapshot, as the service records them; none for a snapshot of format 1.
    ///   - objects: what a snapshot of format 1 is read from.
    ///   - references: the contents that will be read; all where left out.
    ///   - listsOnly: whether only ``forEachContent(of:_:)`` will be asked, which needs no file's bytes.
    public static func open(
        _ manifest: SnapshotManifest,
        packs: [PackReference],
        from source: any PackSource,
        objects: any ObjectStore,
        references: [ObjectReference]? = nil,
        listsOnly: Bool = false
    ) async throws -> SnapshotContents {
        if manifest.format == SnapshotManifest.firstFormat {
            return try await FirstFormatContents.read(references ?? manifest.objectReferences, from: objects)
        }
        let catalog = try await PackCatalog(packs, from: source)
        guard let references else { return try await SnapshotContents(catalog, from: source) }
        var entries: [Int: [PackEntry]] = [:]
        func need(_ digest: Digest) {
            if let place = catalog.place(of: digest) { entries[place.pack, default: []].append(place.entry) }
        }
        // A large file's chunks are known once its list is read, and the lists below a list once that is. One that no
        // pack holds is missed by whoever reads it.
        var lists = Set(references.compactMap(\.chunks))
        while !lists.isEmpty {
            var places: [Int: [PackEntry]] = [:]
            var present: [Digest] = []
            for list in lists {
                guard let place = catalog.place(of: list) else { continue }
                places[place.pack, default: []].append(place.entry)
                present.append(list)
            }
            let contents = try await SnapshotContents(catalog, from: source, entries: places)
            lists = []
            for digest in present {
                need(digest)
                let list = try ChunkList(try contents.content(digest), digest: digest)
                for part in list.parts {
                    if list.level > 0 { lists.insert(part.digest) } else if !listsOnly { need(part.digest) }
                }
            }
        }
        if !listsOnly {
            for reference in references where reference.chunks == nil { need(reference.digest) }
        }
        return try await SnapshotContents(catalog, from: source, entries: entries)
    }
}
