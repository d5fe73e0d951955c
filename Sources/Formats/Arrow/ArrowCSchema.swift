import CArrow
import Columns
import Glibc

/// What an exported schema points to; it lives until the schema is released.
final class ArrowCSchema {
    private let format: UnsafeMutablePointer<CChar>?
    private let name: UnsafeMutablePointer<CChar>?
    private let children: UnsafeMutableBufferPointer<UnsafeMutablePointer<ArrowSchema>?>

    private init(format: String, name: String, children: [ArrowSchema]) {
        self.format = strdup(format)
        self.name = strdup(name)
        self.children = .allocate(capacity: children.count)
        for (place, child) in children.enumerated() {
            let pointer = UnsafeMutablePointer<ArrowSchema>.allocate(capacity: 1)
            pointer.initialize(to: child)
            self.children.initializeElement(at: place, to: pointer)
        }
    }

    deinit {
        for child in children {
            // One that was moved away is marked as released, and lives on elsewhere.
            child?.pointee.release?(child)
            child?.deallocate()
        }
        children.deallocate()
        free(name)
        free(format)
    }

    private static func schema(
        format: String,
        name: String,
        flags: Int32,
        children: [ArrowSchema] = []
    ) -> ArrowSchema {
        let owner = ArrowCSchema(format: format, name: name, children: children)
        var schema = ArrowSchema()
        schema.format = UnsafePointer(owner.format)
        schema.name = UnsafePointer(owner.name)
        schema.flags = Int64(flags)
        schema.n_children = Int64(children.count)
        schema.children = children.isEmpty ? nil : owner.children.baseAddress
        schema.private_data = Unmanaged.passRetained(owner).toOpaque()
        schema.release = { schema in
            guard let schema, let owner = schema.pointee.private_data else { return }
            schema.pointee.release = nil
            schema.pointee.private_data = nil
            Unmanaged<ArrowCSchema>.fromOpaque(owner).release()
        }
        return schema
    }

    static func table(_ schema: Schema) -> ArrowSchema {
        self.schema(format: "+s", name: "", flags: 0, children: schema.fields.map { field($0.name, $0.type) })
    }

    static func field(_ name: String, _ type: DataType) -> ArrowSchema {
        var format: String
        var children: [ArrowSchema] = []
        switch type {
        case .bool: format = "b"
        case .int64: format = "l"
        case .float32: format = "f"
        case .float64: format = "g"
        case .string: format = "U"
        case .bytes: format = "Z"
        case .timestamp: format = "tsu:UTC"
        case .vector(let dimension):
            format = "+w:\(dimension)"
            children = [field("item", .float32)]
        }
        return schema(format: format, name: name, flags: ARROW_FLAG_NULLABLE, children: children)
    }
}
