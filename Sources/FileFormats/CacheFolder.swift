/// Where this user's programs keep what they can find out again.
public enum CacheFolder {
  /// `$XDG_CACHE_HOME/gpunoisy/NAME`, or else `~/.cache/gpunoisy/NAME`.
  ///
  /// A value of `XDG_CACHE_HOME` that is not absolute is ignored, as the XDG specification demands. Nil where there is no
  /// home folder either.
  ///
  /// - Parameter environment: gives the value of an environment variable, or nil.
  public static func path(
    _ name: String, environment: (String) -> String? = FileBytes.environment
  ) -> String? {
    if let path = environment("XDG_CACHE_HOME"), path.hasPrefix("/") { return "\(path)/gpunoisy/\(name)" }
    if let path = environment("HOME"), path.hasPrefix("/") { return "\(path)/.cache/gpunoisy/\(name)" }
    return nil
  }
}
