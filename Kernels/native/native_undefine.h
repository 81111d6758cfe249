// What the kernels' files define anew for each format of activations and panels.
#undef load_activation
#undef store_activation
#undef load_activation16
#undef store_activation16
#undef load_activations
#undef store_activations
#undef FACTOR_PAIR
