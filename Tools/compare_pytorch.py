"""The rounds of Tools/compare-pytorch, which sets up what this needs and says how to call it."""
import argparse
import json
import os
import platform
import re
import resource
import signal
import statistics
import subprocess
import sys
import time

TOOLS = os.path.dirname(os.path.abspath(__file__))
# What forces both sides of --avx2 onto the same instructions.
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}


class SideFailed(Exception):
    pass


class TimeIsUp(Exception):
    """SIGTERM, from `timeout` for instance: the rounds end, and what they found is told."""

    @classmethod
    def listen(cls):
        def stop(*_):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            raise cls

        signal.signal(signal.SIGTERM, stop)


class Ours:
    """`gpunoisy bench` on one device; one process for each round, or two where its processor time counts."""

    def __init__(self, options, device, name, precision, program=None):
        self.options, self.name, self.steps, self.blocks = options, name, None, None
        self.command = [
            program or options.program, "bench", "--device", device, "--model", options.model, "--no-operations",
            "--batch-size", str(options.batch_size), "--precision", precision, "--json", "-q"]
        if device == "cpu":
            self.command += ["--threads", str(options.threads)]
            instructions = "avx2" if options.avx2 else options.instruction_set
            self.command += ["--instruction-set", instructions] if instructions else []

    def run(self, steps, blocks):
        ending = subprocess.run(
            self.command + ["--steps", str(steps), "--repeats", str(blocks)], capture_output=True, text=True)
        if ending.returncode != 0:
            raise SideFailed(" ".join(ending.stderr.split())[-300:] or f"code {ending.returncode}")
        return json.loads(ending.stdout)

    def measure(self, seconds):
        if self.steps is None:
            rate = self.run(1, 3)["training"]["images_per_second"]["median"]
            batch = self.options.batch_size
            # Blocks of a sixth of the time, but no more images than a block of CIFAR-10's 50,000.
            self.steps = max(1, min(round(seconds / 6 * rate / batch), 50_000 // batch))
            self.blocks = max(2, round(seconds * rate / batch / self.steps))
        document, time = self.timed(self.blocks)
        about = {key: document[key] for key in ("device", "driver")}
        if not self.options.processor_time:
            return document["training"]["images_per_second"]["median"], about
        # Without what it takes to start: a long run less a short one.
        few = max(1, self.blocks // 6)
        images = (self.blocks - few) * self.steps * self.options.batch_size
        return images / (time - self.timed(few)[1]), about

    def timed(self, blocks):
        """A run, and its processor time."""
        def spent():
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            return usage.ru_utime + usage.ru_stime

        before = spent()
        document = self.run(self.steps, blocks)
        return document, spent() - before

    def close(self):
        pass


class Peer:
    """PyTorch in a process of its own, which waits between the rounds, so that nothing is compiled twice."""

    def __init__(self, options, name, flags):
        self.name = name
        command = [
            sys.executable, os.path.join(TOOLS, "pytorch_training.py"), "--serve", "--device", options.torch_device,
            "--model", options.model, "--batch-size", str(options.batch_size), "--precision",
            options.precision, "--threads", str(options.threads), *flags]
        command += ["--processor-time"] if options.processor_time else []
        environment = {**os.environ, **(AVX2 if options.avx2 else {})}
        self.errors = open(os.path.join(options.logs, f"{re.sub('[^a-z0-9]+', '-', name.lower())}.log"), "w+")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment)

    def measure(self, seconds):
        try:
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.errors.seek(0)
            raise SideFailed(" ".join(self.errors.read().split())[-300:] or "it ended without a word")
        answer = json.loads(line)
        return answer["images_per_second"]["median"], {key: answer[key] for key in ("peer", "device", "threads")}

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


def opencl_devices(program):
    """Numbers, names and kinds of the OpenCL devices that can be used."""
    ending = subprocess.run([program, "devices", "--json"], capture_output=True, text=True)
    if ending.returncode != 0:
        return []
    devices = json.loads(ending.stdout).get("devices", [])
    return [
        (str(device["index"]), device["name"], device.get("kind", ""))
        for device in devices if device.get("usable", True)]


def sides(options):
    listed = opencl_devices(options.program)
    if options.devices:
        chosen = options.devices.split(",")
        names = {index: name for index, name, _ in listed}
        ours = [(d, "built-in CPU" if d == "cpu" else f"OpenCL {names.get(d, d)}") for d in chosen]
    elif options.torch_device == "cuda":
        ours = [(index, f"OpenCL {name}") for index, name, kind in listed if kind.lower() == "gpu"]
    else:
        ours = [("cpu", "built-in CPU")]
        # PoCL and its like compile for the processor that they find: they cannot be held to AVX2.
        ours += [(index, f"OpenCL {name}") for index, name, _ in listed if not options.avx2]
    ours = [(device, name, options.precision) for device, name in ours]
    if options.torch_device == "cuda" and options.precision == "fp32":
        # A device without TF32 fails in its first round, and is left out.
        ours += [(device, f"{name}, TF32", "tf32") for device, name, _ in ours]
    result = [
        (name, lambda device=device, name=name, precision=precision: Ours(options, device, name, precision))
        for device, name, precision in ours]
    if options.before:
        result += [
            (f"{name}, before", lambda device=device, name=name, precision=precision: Ours(
                options, device, f"{name}, before", precision, options.before))
            for device, name, precision in ours]
    if options.torch_device == "cuda" and options.precision == "fp32":
        variants = [("eager", []), ("eager, TF32", ["--tf32"])]
        variants += [
            (f"compile {mode}{', TF32' if tf32 else ''}", ["--compile", mode] + tf32)
            for mode in options.compile for tf32 in ([], ["--tf32"])]
    else:
        flags = ["--tf32"] if options.torch_device == "cuda" else []
        variants = [("eager", flags)] + [(f"compile {mode}", ["--compile", mode] + flags) for mode in options.compile]
    return result + [
        (f"PyTorch {name}", lambda name=name, flags=flags: Peer(options, f"PyTorch {name}", flags))
        for name, flags in variants]


def machine():
    facts = {"system": platform.platform(), "processors": len(os.sched_getaffinity(0))}
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    facts["processor"] = models[0] if models else "?"
    return facts


def business():
    """How busy others keep the processors, 0 to 1, while no side is at work.

    PyTorch's threads wait for one another many times within a step, and lose far more than their share of the time.
    """
    def read():
        with open("/proc/stat") as file:
            fields = [int(field) for field in file.readline().split()[1:]]
        return sum(fields[:8]), fields[3] + fields[4]

    before = read()
    time.sleep(0.5)
    after = read()
    return 1 - (after[1] - before[1]) / max(after[0] - before[0], 1)


def table(names, rates, peers):
    header = ["side", "images/s", "min", "max"] + [f"x {peer}" for peer in peers]
    rows = [header]
    for name in names:
        own = rates[name]
        row = [name, f"{statistics.median(own):.1f}", f"{min(own):.1f}", f"{max(own):.1f}"]
        for peer in peers:
            row.append(f"{statistics.median(a / b for a, b in zip(own, rates[peer])):.3f}")
        rows.append(row)
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])])
        for row in rows)


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--program", required=True)
    parser.add_argument("--device", dest="torch_device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--devices")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--model", default="resnet32")
    parser.add_argument("--before")
    parser.add_argument("--processor-time", action="store_true")
    parser.add_argument("--precision", choices=["fp32", "mixed"], default="fp32")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--avx2", action="store_true")
    parser.add_argument("--instruction-set")
    parser.add_argument("--compile", type=lambda text: text.split(",") if text else [], default=None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--limit", type=float, default=float("inf"))
    parser.add_argument("--logs", required=True)
    parser.add_argument("--json")
    options = parser.parse_args()
    if options.compile is None:
        options.compile = ["max-autotune"] if options.torch_device == "cuda" else []

    began, running, failed = time.monotonic(), {}, {}

    def attempt(name, work):
        try:
            return work()
        except (SideFailed, json.JSONDecodeError, KeyError, OSError) as error:
            failed[name] = f"{error}"
            print(f"{name}: left out: {error}", file=sys.stderr)
            if name in running:
                running.pop(name).close()
            return None

    rates, about, busy = {}, {}, []
    TimeIsUp.listen()
    try:
        for name, make in sides(options):
            side = attempt(name, make)
            if side is None:
                continue
            running[name] = side
            # Once unmeasured: kernels are compiled and clocks go up.
            attempt(name, lambda: side.measure(min(options.seconds, 2)))
        rates.update((name, []) for name in running)
        for number in range(options.rounds):
            # There and back again: what drifts hits each side alike.
            busy.append(business())
            if busy[-1] > 0.1:
                print(f"others keep this machine busy to {busy[-1]:.0%}: the round will say little", file=sys.stderr)
            order = list(running) if number % 2 == 0 else list(running)[::-1]
            for name in order:
                found = attempt(name, lambda: running[name].measure(options.seconds))
                if found is not None:
                    rates[name].append(found[0])
                    about[name] = found[1]
            line = ", ".join(f"{name} {rates[name][-1]:.1f}" for name in running)
            print(f"round {number + 1} of {options.rounds}, images/s: {line}", file=sys.stderr)
            if time.monotonic() - began > options.limit:
                raise TimeIsUp
    except TimeIsUp:
        print("the time is up: no more rounds", file=sys.stderr)
    for side in list(running.values()):
        side.close()

    # The last round may have been cut short.
    whole = min((len(rates[name]) for name in running if name in rates), default=0)
    names = [name for name in running if whole > 0]
    rates = {name: rates[name][:whole] for name in names}
    peers = [name for name in names if name.startswith("PyTorch") or name.endswith(", before")]
    if not peers or len(names) == len(peers):
        sys.exit("error: there is nothing to compare.\n  why: " + "; ".join(f"{k}: {v}" for k, v in failed.items())
                 + "\n  fix: see the messages above.")
    title = f"{options.model} training, batch {options.batch_size}, {options.precision}"
    if options.processor_time:
        title += ", by processor time"
    if options.avx2:
        title += ", AVX2 on both sides"
    print(f"{title}: median of {whole} rounds, and of the ratios within the rounds\n\n{table(names, rates, peers)}")
    if options.json:
        document = {
            "schema": "gpunoisy.comparison/1", "what": title + ", whole step, 32x32 RGB",
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(),
            "method": f"{whole} rounds of {options.seconds:g} s for each side in turn, every second one backwards; a "
                      "round's number is " + (
                          "its images over its processor time, without the start" if options.processor_time
                          else "the median of its blocks"),
            "batch_size": options.batch_size, "precision": options.precision, "threads": options.threads,
            "avx2": options.avx2, "rounds": whole,
            "others_busy": [round(value, 3) for value in busy[:whole]],
            "sides": [
                {"name": name, **about[name], "images_per_second": rates[name],
                 "median": statistics.median(rates[name])} for name in names],
            "ratios": [
                {"of": name, "to": peer, "each": [a / b for a, b in zip(rates[name], rates[peer])],
                 "median": statistics.median(a / b for a, b in zip(rates[name], rates[peer]))}
                for name in names for peer in peers if name != peer],
            "left_out": failed,
        }
        with open(options.json, "w") as file:
            json.dump(document, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
