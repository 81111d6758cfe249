"""The tables of Tools/gpu-round, from the JSON in its folder; says nothing of what is missing."""
import glob
import json
import os
import sys


def documents(folder, pattern):
    for path in sorted(glob.glob(os.path.join(folder, pattern))):
        try:
            with open(path) as file:
                yield os.path.basename(path), json.load(file)
        except ValueError:
            print(f"{os.path.basename(path)}: cut short")


def main():
    folder = sys.argv[1]
    for name, facts in documents(folder, "facts.json"):
        head = [line.strip("/ ") for line in facts.get("program_head", []) if line.startswith(".")]
        print(f"driver     {facts['driver']}, {facts['local_memory_bytes']} bytes of local memory", *head, sep=", ")
        wrong = [f"{probe} ({result[:60]})" for probe, result in facts["probes"].items() if result != "ok"]
        print("takes      " + ", ".join(probe for probe, result in facts["probes"].items() if result == "ok"))
        if wrong:
            print("does not   " + "; ".join(wrong))
        spills = [f"{k} {v['spilled_bytes']}" for k, v in facts["kernels"].items() if v.get("spilled_bytes")]
        if spills:
            print("spills     " + ", ".join(spills) + " bytes")
    for name, result in documents(folder, "selftest-*.json"):
        print(f"{name[:-5]:<10} {result['passed']} passed, {result['failed']} failed")
    for name, bench in documents(folder, "bench-*.json"):
        peaks = bench.get("peaks", {})
        if peaks:
            print(f"{name[:-5]:<10} at most {peaks['multiply_add_gflops'] / 1000:.2f} TFLOP/s, "
                  f"{peaks['copy_gbs']:.0f} GB/s, {peaks['launch_us']:.2f} us for a launch")
        for run in bench.get("runs", [bench]):
            rate, training = run["training"]["images_per_second"], run["training"]
            print(f"  {run['model']} batch {run['batch_size']:<5} {run['precision']}  {rate['median']:>10.0f} images/s "
                  f"({rate['min']:.0f} to {rate['max']:.0f}), step {training['step_ms']:.2f} ms, "
                  f"{training['launches_per_step']} launches")
    for name, found in documents(folder, "*.comparison.json"):
        busy = max(found.get("others_busy") or [0])
        print(f"{found['what']}, {found['rounds']} rounds" + (
            f"; DOUBTFUL: others kept the processors busy to {busy:.0%}" if busy > 0.1 else ""))
        for side in found["sides"]:
            ratios = [f"x{r['median']:.2f} of {r['to']}" for r in found["ratios"] if r["of"] == side["name"]]
            shown = "" if side["name"].startswith("PyTorch") else "   " + ", ".join(ratios)
            print(f"  {side['name']:<44} {side['median']:>10.0f} images/s{shown}")
        for side, reason in found["left_out"].items():
            print(f"  {side:<44} left out: {reason[:80]}")


if __name__ == "__main__":
    main()
