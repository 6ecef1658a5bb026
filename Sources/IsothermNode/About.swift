// Reads config, opens stores, wires the layers, starts and stops in order.
