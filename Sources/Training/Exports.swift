// A program that trains needs the networks in training, too: `import Training` is enough for it (Tools/example).
@_exported import Sessions
