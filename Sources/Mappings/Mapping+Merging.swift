// What may be added to a mapping and what may not change, with Elasticsearch's messages.

package import JSON

extension Mapping {
    /// With the body of `PUT _mapping` merged in, or a `MappingUpdate.definition`.
    /// - Throws: mapper_parsing_exception, or illegal_argument_exception for what may not change.
    package func merging(_ mappings: JSONObject) throws(MappingError) -> Mapping {
        var parser = MappingParser(analysis: analysis, limits: limits)
        try parser.parse(mappings)
        var merged = self
        merged.setRoot(try root.merging(parser.root))
        for declaration in parser.declarations {
            switch declaration {
            case .object(let object): try merged.merge(object)
            case .field(let field): try merged.merge(field)
            }
        }
        for case .field(let field) in parser.declarations { try merged.checkReferences(field) }
        return merged
    }

    mutating func merge(_ object: ObjectDeclaration) throws(MappingError) {
        if let field = fields[object.path] {
            throw conflict("can't merge a non object mapping [\(object.path)] with an object mapping", field)
        }
        guard let old = objects[object.path] else { return try set(object) }
        guard object.isExplicit else { return }
        guard old.isNested == object.isNested || !old.isExplicit else {
            throw conflict("cannot change object mapping from \(old.isNested ? "nested" : "non-nested") to \(object.isNested ? "nested" : "non-nested")", nil)
        }
        var new = old
        if let enabled = object.enabled, enabled != old.enabled ?? true {
            throw conflict("the [enabled] parameter can't be updated for the object mapping [\(object.path)]", nil)
        }
        new.dynamic = object.dynamic ?? old.dynamic
        new.includeInParent = object.includeInParent ?? old.includeInParent
        new.includeInRoot = object.includeInRoot ?? old.includeInRoot
        new.isExplicit = true
        try set(new)
    }

    mutating func merge(_ field: FieldDeclaration) throws(MappingError) {
        if objects[field.path] != nil { throw conflict("can't merge a non object mapping [\(field.path)] with an object mapping", nil) }
        guard let old = fields[field.path], !old.isHidden else { return try set(field) }
        guard !old.isMultiField else { throw conflict("Field [\(field.path)] is defined both as a multi-field and as a field", old) }
        try checkUpdate(of: old.declaration, to: field)
        // Multi-fields not named again stay.
        var multiFields = field.multiFields
        for sub in old.declaration.multiFields {
            if let new = multiFields.first(where: { $0.path == sub.path }) { try checkUpdate(of: sub, to: new) } else { multiFields.append(sub) }
        }
        try set(FieldDeclaration(path: field.path, kind: field.kind, parameters: field.parameters, copyTo: field.copyTo, multiFields: multiFields))
    }

    // MARK: -

    private func conflict(_ reason: String, _ field: MappedField?) -> MappingError { MappingError("illegal_argument_exception", reason) }

    private func checkUpdate(of old: FieldDeclaration, to new: FieldDeclaration) throws(MappingError) {
        guard old.kind == new.kind else {
            throw conflict("mapper [\(new.path)] cannot be changed from type [\(old.kind.rawValue)] to [\(new.kind.rawValue)]", nil)
        }
        var conflicts: [String] = []
        for parameter in old.kind.parameters {
            let before = old.value(parameter.name), after = new.value(parameter.name)
            let mayNot = parameter.name == "norms" ? before == false && after == true : !parameter.updatable
            if before != after, mayNot {
                let shown = [before, after].map { $0.map(JavaText.string) ?? "null" }
                conflicts.append("Cannot update parameter [\(parameter.name)] from [\(shown[0])] to [\(shown[1])]")
            }
        }
        guard conflicts.isEmpty else {
            throw conflict("Mapper for [\(new.path)] conflicts with existing mapper:\n\t" + conflicts.joined(separator: "\n\t"), nil)
        }
    }

    /// Aliases and copy_to name what is there, once the whole mapping is.
    private func checkReferences(_ field: FieldDeclaration) throws(MappingError) {
        if let target = field.parameters["path"]?.string, field.kind == .alias {
            func wrong(_ why: String) -> MappingError {
                MappingError("mapper_parsing_exception", "Invalid [path] value [\(target)] for field alias [\(field.path)]: \(why)")
            }
            guard target != field.path else { throw wrong("an alias cannot refer to itself.") }
            guard let found = fields[target] else { throw wrong("an alias must refer to an existing field in the mappings.") }
            guard found.type.kind != .alias else { throw wrong("an alias cannot refer to another alias.") }
        }
        if field.isUpdatable {
            var source: String?
            fields.forEach { path, other in if other.declaration.copyTo.contains(field.path) { source = path } }
            if let source { throw FieldDeclaration.wrong("[updatable] on field [\(field.path)]: field [\(source)] is copied to it, so its source does not have its value") }
        }
        for target in field.copyTo {
            guard fields[target]?.type.updatable != true else { throw FieldDeclaration.wrong("Cannot copy to field [\(target)] since it is updatable") }
            guard !hasObject(target) else { throw FieldDeclaration.wrong("Cannot copy to field [\(target)] since it is mapped as an object") }
            guard fields[target]?.isMultiField != true else { throw FieldDeclaration.wrong("[copy_to] may not be used to copy to a multi-field: [\(target)]") }
        }
    }
}
