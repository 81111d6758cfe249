// A program that trains by itself imports one module.
@_exported import Sessions
@_exported import Settings
