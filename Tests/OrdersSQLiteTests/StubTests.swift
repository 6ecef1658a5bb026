// The store's tests come here.
import Testing
