#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Frees memory that a C library allocated for its caller.
func release(_ memory: UnsafeMutableRawPointer) {
  free(memory)
}
