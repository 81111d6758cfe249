#!/usr/bin/env python3
"""First facts about an OpenCL driver that no query tells: what its compiler takes, and what it makes of our kernels.

    opencl_facts.py [--device PART_OF_A_NAME] [--kernels Kernels]

Prints one JSON document: limits, the head of the compiled program, registers and spills of each kernel (where the
compiler says them: -cl-nv-verbose), and small kernels that were built, run and checked, one for each thing that
kernels may want to use. Needs OpenCL's loader and nothing else.
"""
import argparse
import ctypes
import glob
import json
import os
import re

# Shared memory is addressed by 32 bits in PTX.
PRELUDE = "#define U(p) ((uint)(ulong)(p))\n"
# Each writes result[0]: what it ought to be, and the source. 32 work-items in one group.
PROBES = {
    "plain": (3, "r[0] = 3.0f;"),
    "half storage": (
        1.5, "__local ushort h[2]; vstore_half(1.5f, 0, (__local half *)h); r[0] = vload_half(0, (__local half *)h);"),
    "half arithmetic": (
        3.75, "half a = (half)(1.5f + get_local_id(0) * 0.0f), b = a + a; r[0] = (float)(a * b - a * (half)0.5f);"),
    "shfl.sync": (
        7, "int v = get_local_id(0), w; asm volatile(\"shfl.sync.idx.b32 %0, %1, 7, 31, 0xffffffff;\" : \"=r\"(w) : "
        "\"r\"(v)); r[0] = w;"),
    "mma.sync tf32": (
        8, "float d0 = 0, d1 = 0, d2 = 0, d3 = 0; uint one = 0x3f800000; asm volatile(\"mma.sync.aligned.m16n8k8.row"
        ".col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%4,%4,%4}, {%4,%4}, {%0,%1,%2,%3};\" : \"+f\"(d0), \"+f\"(d1), "
        "\"+f\"(d2), \"+f\"(d3) : \"r\"(one)); r[0] = d3;"),
    "mma.sync bf16": (
        16, "float d0 = 0, d1 = 0, d2 = 0, d3 = 0; uint one = 0x3f803f80; asm volatile(\"mma.sync.aligned.m16n8k16.row"
        ".col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%4,%4,%4}, {%4,%4}, {%0,%1,%2,%3};\" : \"+f\"(d0), \"+f\"(d1), "
        "\"+f\"(d2), \"+f\"(d3) : \"r\"(one)); r[0] = d3;"),
    "cvt bf16x2": (
        16256, "uint p; asm(\"cvt.rn.bf16x2.f32 %0, %1, %2;\" : \"=r\"(p) : \"f\"(1.0f), \"f\"(0.0f)); "
        "r[0] = p >> 16;"),
    "ldmatrix": (
        1, "__local uint t[256]; for (int i = get_local_id(0); i < 256; i += 32) t[i] = 1; "
        "barrier(CLK_LOCAL_MEM_FENCE); uint a, b, c, d; asm volatile(\"ldmatrix.sync.aligned.m8n8.x4.shared.b16 "
        "{%0,%1,%2,%3}, [%4];\" : \"=r\"(a), \"=r\"(b), \"=r\"(c), \"=r\"(d) : \"r\"(U(t + 4 * get_local_id(0))) : "
        "\"memory\"); r[0] = (a & 1) * (b & 1) * (c & 1) * (d & 1);"),
    "cp.async": (
        5, "__local float4 t[32]; r[4 + 4 * get_local_id(0)] = 5.0f; barrier(CLK_GLOBAL_MEM_FENCE); "
        "asm volatile(\"cp.async.cg.shared.global [%0], [%1], 16; cp.async.wait_all;\" :: \"r\"(U(t + "
        "get_local_id(0))), \"l\"(r + 4 + 4 * get_local_id(0)) : \"memory\"); barrier(CLK_LOCAL_MEM_FENCE); "
        "r[0] = t[31].s0;"),
    **{f"local memory {kb} KB": (
        kb, f"__local float t[{kb * 256}]; for (int i = get_local_id(0); i < {kb * 256}; i += 32) t[i] = 1.0f / 256; "
        f"barrier(CLK_LOCAL_MEM_FENCE); float s = 0; if (get_local_id(0) == 0) {{ for (int i = 0; i < {kb * 256}; i++) "
        "s += t[i]; r[0] = s; }") for kb in (32, 48, 64, 96, 128, 200)},
}


class OpenCL:
    """The few calls that this needs; every pointer is 64 bits."""

    def __init__(self, loader):
        self.library = ctypes.CDLL(loader)
        for name in ("clCreateContext", "clCreateCommandQueue", "clCreateProgramWithSource", "clCreateKernel",
                     "clCreateBuffer"):
            getattr(self.library, name).restype = ctypes.c_void_p

    def list(self, function, *arguments):
        count = ctypes.c_uint(0)
        if function(*arguments, 0, None, ctypes.byref(count)) != 0 or count.value == 0:
            return []
        handles = (ctypes.c_void_p * count.value)()
        function(*arguments, count.value, handles, None)
        return [ctypes.c_void_p(handle) for handle in handles]

    def devices(self):
        every = ctypes.c_ulong(0xFFFFFFFF)
        return [(platform, device) for platform in self.list(self.library.clGetPlatformIDs)
                for device in self.list(self.library.clGetDeviceIDs, platform, every)]

    @staticmethod
    def info(function, *arguments):
        size = ctypes.c_size_t(0)
        if function(*arguments, ctypes.c_size_t(0), None, ctypes.byref(size)) != 0:
            return b""
        data = ctypes.create_string_buffer(size.value)
        function(*arguments, size, data, None)
        return data.raw

    def text(self, device, key):
        return self.info(self.library.clGetDeviceInfo, device, key).split(b"\0")[0].decode(errors="replace")

    def number(self, device, key):
        return int.from_bytes(self.info(self.library.clGetDeviceInfo, device, key), "little")


class Session:
    def __init__(self, opencl, device):
        self.cl, self.device, error = opencl.library, device, ctypes.c_int(0)
        self.one = (ctypes.c_void_p * 1)(device)
        self.context = ctypes.c_void_p(self.cl.clCreateContext(None, 1, self.one, None, None, ctypes.byref(error)))
        self.queue = ctypes.c_void_p(
            self.cl.clCreateCommandQueue(self.context, device, ctypes.c_ulong(0), ctypes.byref(error)))

    def build(self, source, options=b""):
        """The program, or None; and the compiler's words."""
        error, text = ctypes.c_int(0), (ctypes.c_char_p * 1)(source.encode())
        program = ctypes.c_void_p(
            self.cl.clCreateProgramWithSource(self.context, 1, text, None, ctypes.byref(error)))
        code = self.cl.clBuildProgram(program, 1, self.one, options, None, None)
        log = OpenCL.info(self.cl.clGetProgramBuildInfo, program, self.device, 0x1183).split(b"\0")[0]
        return (program if code == 0 else None), log.decode(errors="replace")

    def binary(self, program):
        sizes, none = (ctypes.c_size_t * 1)(), None
        if self.cl.clGetProgramInfo(program, 0x1165, ctypes.c_size_t(8), sizes, none) != 0:
            return b""
        data = ctypes.create_string_buffer(sizes[0])
        pointers = (ctypes.c_void_p * 1)(ctypes.addressof(data))
        self.cl.clGetProgramInfo(program, 0x1166, ctypes.c_size_t(8), pointers, none)
        return data.raw

    def run(self, body):
        """What a probe leaves in r[0], or why it does not."""
        program, log = self.build(
            PRELUDE + "__kernel __attribute__((reqd_work_group_size(32, 1, 1))) void probe(__global float *r) {"
            + body + "}")
        if program is None:
            return "does not build: " + " ".join(log.split())[:200]
        error, size = ctypes.c_int(0), ctypes.c_size_t(32)
        kernel = ctypes.c_void_p(self.cl.clCreateKernel(program, b"probe", ctypes.byref(error)))
        buffer = ctypes.c_void_p(
            self.cl.clCreateBuffer(self.context, ctypes.c_ulong(1), ctypes.c_size_t(4096), None, ctypes.byref(error)))
        self.cl.clSetKernelArg(kernel, 0, ctypes.c_size_t(8), ctypes.byref(buffer))
        code = self.cl.clEnqueueNDRangeKernel(
            self.queue, kernel, 1, None, ctypes.byref(size), ctypes.byref(size), 0, None, None)
        result = ctypes.c_float(-1)
        code = code or self.cl.clEnqueueReadBuffer(
            self.queue, buffer, 1, ctypes.c_size_t(0), ctypes.c_size_t(4), ctypes.byref(result), 0, None, None)
        return f"does not run: code {code}" if code else result.value


def family(folder, room):
    """The kernels of one family as the program joins them, in the order of embed.c."""
    with open(os.path.join(folder, "embed.c")) as file:
        names = re.findall(r'\{"([a-z0-9_/]+\.(?:cl|h))"', file.read())
    chosen = [name for name in names if name.split("/")[0] in ("layout", "shared", room)]
    return "".join(f'#line 1 "{name}"\n{open(os.path.join(folder, name)).read()}\n' for name in chosen)


def registers(log):
    """Registers and spilled bytes by kernel, from ptxas's words."""
    found, name = {}, None
    for line in log.splitlines():
        if match := re.search(r"(?:Compiling entry function|Function properties for) '?(\w+)", line):
            name = match[1]
        if match := re.search(r"(\d+) bytes spill stores", line):
            found.setdefault(name, {})["spilled_bytes"] = int(match[1])
        if match := re.search(r"Used (\d+) registers(?:.*?(\d+) bytes smem)?", line):
            found.setdefault(name, {}).update(registers=int(match[1]), local_bytes=int(match[2] or 0))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="", help="part of its name; default the first GPU, or the first device")
    parser.add_argument("--loader", default="libOpenCL.so.1", help="OpenCL's loader")
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--kernels", default=os.path.join(here, "..", "Kernels"))
    options = parser.parse_args()
    opencl = OpenCL(options.loader)
    devices = [(p, d) for p, d in opencl.devices() if options.device.lower() in opencl.text(d, 0x102B).lower()]
    if not devices:
        raise SystemExit(
            "error: there is no such OpenCL device.\n  why: no driver lists one.\n  fix: see: gpunoisy devices")
    devices.sort(key=lambda pair: not opencl.number(pair[1], 0x1000) & 4)
    _, device = devices[0]
    is_gpu = bool(opencl.number(device, 0x1000) & 4)
    facts = {
        "name": opencl.text(device, 0x102B), "driver": opencl.text(device, 0x102D),
        "version": opencl.text(device, 0x102F), "language": opencl.text(device, 0x103D),
        "extensions": opencl.text(device, 0x1030).split(), "compute_units": opencl.number(device, 0x1002),
        "clock_mhz": opencl.number(device, 0x100C), "local_memory_bytes": opencl.number(device, 0x1023),
        "max_work_group": opencl.number(device, 0x1004), "largest_buffer_bytes": opencl.number(device, 0x1010),
        "memory_bytes": opencl.number(device, 0x101F), "constant_bytes": opencl.number(device, 0x1020),
        "argument_bytes": opencl.number(device, 0x1017),
    }
    session = Session(opencl, device)
    nvidia = "nvidia" in opencl.text(device, 0x102C).lower()
    program, log = session.build(
        family(options.kernels, "workgroup" if is_gpu else "vector"), b"-cl-nv-verbose" if nvidia else b"")
    facts["kernels_build"] = program is not None
    facts["kernels"] = registers(log)
    facts["log"] = log[-4000:] if program is None or not facts["kernels"] else ""
    if program is not None:
        head = session.binary(program)[:4000].decode(errors="replace")
        facts["program_head"] = [
            line for line in head.splitlines() if re.match(r"// |\.version|\.target|\.address_size", line)]
    facts["probes"] = {}
    # Instructions of one maker's machines break other compilers, some of them not politely.
    foreign = ("shfl", "mma", "cvt", "ldmatrix", "cp.async")
    for name, (expected, body) in PROBES.items():
        if name.startswith(foreign) and not nvidia:
            continue
        size = re.search(r"(\d+) KB", name)
        if size and not nvidia and int(size[1]) * 1024 > facts["local_memory_bytes"]:
            continue
        result = session.run(body)
        facts["probes"][name] = "ok" if result == expected else f"{result} instead of {expected}"
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
