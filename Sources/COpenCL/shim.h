// OpenCL 1.2, reached through the ICD loader. The loader is opened when the program asks for OpenCL, not linked: the
// built-in CPU device must work on a machine without libOpenCL.
#pragma once
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

// Every function that is used, once.
#define OPENCL_FUNCTIONS(USE) \
  USE(clGetPlatformIDs) \
  USE(clGetPlatformInfo) \
  USE(clGetDeviceIDs) \
  USE(clGetDeviceInfo) \
  USE(clCreateContext) \
  USE(clReleaseContext) \
  USE(clCreateCommandQueue) \
  USE(clReleaseCommandQueue) \
  USE(clCreateBuffer) \
  USE(clReleaseMemObject) \
  USE(clEnqueueReadBuffer) \
  USE(clEnqueueWriteBuffer) \
  USE(clEnqueueCopyBuffer) \
  USE(clEnqueueFillBuffer) \
  USE(clCreateProgramWithSource) \
  USE(clCreateProgramWithBinary) \
  USE(clBuildProgram) \
  USE(clGetProgramInfo) \
  USE(clGetProgramBuildInfo) \
  USE(clReleaseProgram) \
  USE(clCreateKernel) \
  USE(clGetKernelInfo) \
  USE(clGetKernelArgInfo) \
  USE(clGetKernelWorkGroupInfo) \
  USE(clSetKernelArg) \
  USE(clReleaseKernel) \
  USE(clEnqueueNDRangeKernel) \
  USE(clFlush) \
  USE(clFinish) \
  USE(clWaitForEvents) \
  USE(clGetEventInfo) \
  USE(clGetEventProfilingInfo) \
  USE(clReleaseEvent) \
  USE(clGetExtensionFunctionAddressForPlatform)

// The loader's functions under their own names. Filled once, then only read, so it may cross threads.
typedef struct __attribute__((swift_attr("@Sendable"))) OpenCLFunctions {
#define OPENCL_FIELD(name) __typeof__(name) *name;
  OPENCL_FUNCTIONS(OPENCL_FIELD)
#undef OPENCL_FIELD
} OpenCLFunctions;

// Fills `functions` from an opened library. Returns the name of the first function that it lacks, or null.
static inline const char *opencl_find_functions(void *library, OpenCLFunctions *functions) {
#define OPENCL_FIND(name) \
  functions->name = (__typeof__(functions->name))dlsym(library, #name); \
  if (!functions->name) return #name;
  OPENCL_FUNCTIONS(OPENCL_FIND)
#undef OPENCL_FIND
  return NULL;
}

// What the loader tells about itself: `parameter` 2 is its version, 3 its name. Not every loader can be asked.
static inline bool opencl_loader_text(void *library, cl_uint parameter, char *text, size_t capacity) {
  typedef void *(*Find)(const char *);
  typedef cl_int (*Ask)(cl_uint, size_t, void *, size_t *);
  const Find find = (Find)dlsym(library, "clGetExtensionFunctionAddress");
  const Ask ask = find ? (Ask)find("clGetICDLoaderInfoOCLICD") : NULL;
  return ask && ask(parameter, capacity, text, NULL) == CL_SUCCESS;
}

// cl_khr_command_buffer, declared here: headers differ in whether they have it and under which condition. These five
// functions have the same parameters in all versions of the extension from 0.9.0 to 1.0.
typedef struct OpenCLCommandBuffer *OpenCLCommandBufferHandle;
#define OPENCL_DEVICE_EXTENSIONS_WITH_VERSION 0x1060
#define OPENCL_DEVICE_COMMAND_BUFFER_CAPABILITIES 0x12A9
#define OPENCL_DEVICE_COMMAND_BUFFER_REQUIRED_QUEUE_PROPERTIES 0x12AA
#define OPENCL_COMMAND_BUFFER_CAPABILITY_SIMULTANEOUS_USE 4
#define OPENCL_COMMAND_BUFFER_FLAGS 0x1293
#define OPENCL_COMMAND_BUFFER_SIMULTANEOUS_USE 1

typedef struct __attribute__((swift_attr("@Sendable"))) OpenCLCommandBufferFunctions {
  OpenCLCommandBufferHandle (*create)(
      cl_uint queue_count, const cl_command_queue *queues, const cl_ulong *properties, cl_int *code);
  cl_int (*finalize)(OpenCLCommandBufferHandle);
  cl_int (*release)(OpenCLCommandBufferHandle);
  cl_int (*enqueue)(
      cl_uint queue_count, cl_command_queue *queues, OpenCLCommandBufferHandle, cl_uint wait_count,
      const cl_event *waits, cl_event *event);
  cl_int (*launch)(
      OpenCLCommandBufferHandle, cl_command_queue, const cl_ulong *properties, cl_kernel, cl_uint dimensions,
      const size_t *offset, const size_t *global, const size_t *local, cl_uint wait_count, const cl_uint *waits,
      cl_uint *sync_point, void **command);
} OpenCLCommandBufferFunctions;

// Asks a platform for the extension's functions; false if one is missing.
static inline bool opencl_find_command_buffer_functions(
    const OpenCLFunctions *functions, cl_platform_id platform, OpenCLCommandBufferFunctions *found) {
#define OPENCL_FIND(field, name) \
  found->field = (__typeof__(found->field))functions->clGetExtensionFunctionAddressForPlatform(platform, name); \
  if (!found->field) return false;
  OPENCL_FIND(create, "clCreateCommandBufferKHR")
  OPENCL_FIND(finalize, "clFinalizeCommandBufferKHR")
  OPENCL_FIND(release, "clReleaseCommandBufferKHR")
  OPENCL_FIND(enqueue, "clEnqueueCommandBufferKHR")
  OPENCL_FIND(launch, "clCommandNDRangeKernelKHR")
#undef OPENCL_FIND
  return true;
}
