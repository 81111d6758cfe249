import COpenCL

extension Platform {
  init(asking platform: cl_platform_id) throws(OpenCLError) {
    func text(_ parameter: Int32) throws(OpenCLError) -> String {
      try infoText("clGetPlatformInfo") {
        opencl.clGetPlatformInfo(platform, cl_platform_info(parameter), $0, $1, $2)
      }
    }
    self.init(
      name: try text(CL_PLATFORM_NAME), vendor: try text(CL_PLATFORM_VENDOR), version: try text(CL_PLATFORM_VERSION))
  }
}

extension DeviceInfo {
  init(asking device: cl_device_id, on platform: Platform) throws(OpenCLError) {
    func text(_ parameter: Int32) throws(OpenCLError) -> String {
      try infoText("clGetDeviceInfo") { opencl.clGetDeviceInfo(device, cl_device_info(parameter), $0, $1, $2) }
    }
    func value<Value: FixedWidthInteger>(_ parameter: Int32, as type: Value.Type) throws(OpenCLError) -> Value {
      try infoValue("clGetDeviceInfo", as: type) {
        opencl.clGetDeviceInfo(device, cl_device_info(parameter), $0, $1, nil)
      }
    }
    func count(_ parameter: Int32) throws(OpenCLError) -> Int { Int(try value(parameter, as: cl_uint.self)) }

    self.init(
      name: try text(CL_DEVICE_NAME), vendor: try text(CL_DEVICE_VENDOR), driverVersion: try text(CL_DRIVER_VERSION),
      platform: platform, kind: Kind(type: try value(CL_DEVICE_TYPE, as: cl_device_type.self)),
      version: try text(CL_DEVICE_VERSION), languageVersion: try text(CL_DEVICE_OPENCL_C_VERSION),
      extensions: try text(CL_DEVICE_EXTENSIONS).split(separator: " ").map(String.init))
    computeUnits = try count(CL_DEVICE_MAX_COMPUTE_UNITS)
    clockFrequency = try count(CL_DEVICE_MAX_CLOCK_FREQUENCY)
    globalMemoryBytes = try value(CL_DEVICE_GLOBAL_MEM_SIZE, as: cl_ulong.self)
    maxAllocationBytes = try value(CL_DEVICE_MAX_MEM_ALLOC_SIZE, as: cl_ulong.self)
    localMemoryBytes = try value(CL_DEVICE_LOCAL_MEM_SIZE, as: cl_ulong.self)
    hasDedicatedLocalMemory =
      try value(CL_DEVICE_LOCAL_MEM_TYPE, as: cl_device_local_mem_type.self) == cl_device_local_mem_type(CL_LOCAL)
    maxWorkGroupSize = try value(CL_DEVICE_MAX_WORK_GROUP_SIZE, as: Int.self)
    maxWorkItemSizes = try infoArray("clGetDeviceInfo", of: Int.self, atMost: 16) {
      opencl.clGetDeviceInfo(device, cl_device_info(CL_DEVICE_MAX_WORK_ITEM_SIZES), $0, $1, $2)
    }
    preferredFloatVectorWidth = try count(CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT)
    nativeFloatVectorWidth = try count(CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT)
    if extensions.contains("cl_nv_device_attribute_query") {
      // CL_DEVICE_COMPUTE_CAPABILITY_MAJOR_NV, of the extension.
      computeCapability = (try? count(0x4000)) ?? 0
    }
    maxParameterBytes = try value(CL_DEVICE_MAX_PARAMETER_SIZE, as: Int.self)
    isAvailable = try value(CL_DEVICE_AVAILABLE, as: cl_bool.self) != 0
    hasCompiler = try value(CL_DEVICE_COMPILER_AVAILABLE, as: cl_bool.self) != 0
    address = UInt(bitPattern: device)
    commandBuffers = extensions.contains(CommandBufferSupport.name) ? CommandBufferSupport(asking: device) : nil
  }

  /// The driver's device; null in a description that was made by hand.
  var handle: cl_device_id? { cl_device_id(bitPattern: address) }
}

extension DeviceInfo.Kind {
  /// A simulator may claim to be everything at once; what claims to be a CPU among others is one.
  fileprivate init(type: cl_device_type) {
    let claimed: [(bit: Int32, kind: Self)] = [
      (CL_DEVICE_TYPE_CPU, .cpu), (CL_DEVICE_TYPE_GPU, .gpu), (CL_DEVICE_TYPE_ACCELERATOR, .accelerator),
    ]
    self = claimed.first { type & cl_device_type($0.bit) != 0 }?.kind ?? .other
  }
}
