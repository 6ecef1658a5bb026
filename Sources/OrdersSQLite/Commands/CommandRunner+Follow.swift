// Who follows whom: an edge is there or not, so both commands may be repeated.

import Orders

extension CommandRunner {
    func follow(_ source: PersonRef, _ destination: PersonRef) throws(StoreError) -> StoreOutcome {
        guard source != destination else { throw .invalid("nobody follows themself") }
        try requirePerson(source)
        try requirePerson(destination)
        try connection.run(
            "INSERT INTO relationships(source, destination) VALUES (?, ?) ON CONFLICT DO NOTHING", .id(source.value), .id(destination.value))
        return StoreOutcome(changed: connection.changes)
    }

    func unfollow(_ source: PersonRef, _ destination: PersonRef) throws(StoreError) -> StoreOutcome {
        try connection.run("DELETE FROM relationships WHERE source = ? AND destination = ?", .id(source.value), .id(destination.value))
        return StoreOutcome(changed: connection.changes)
    }
}
