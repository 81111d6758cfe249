// The end of a training step.

// Moves the plan on to the next batch of the epoch. Launch: (1).
__kernel void advance_step(__global int *counters, int B) {
  counters[COUNTER_OFFSET] += B;
  counters[COUNTER_UPDATES] += 1;
}
