// The command line: arguments in, exit code out.

import ArgumentParser

@main
struct Isotherm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Search, orders and archive of a shop behind one server.")
}
