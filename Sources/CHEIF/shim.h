// libheif, which reads HEIC and AVIF. It is opened when such a file is read, not linked: it brings decoders of video
// that many machines lack. Declared here, so that building needs no header; these functions are the same in all
// versions from 1.3 on.
#pragma once
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

typedef struct HEIFError {
  int code, subcode;
  const char *message;
} HEIFError;

// Of libheif's enumerations, what is used.
enum { HEIF_COLORSPACE_RGB = 1, HEIF_CHROMA_RGB = 10, HEIF_CHROMA_RGBA = 11, HEIF_CHANNEL_INTERLEAVED = 10 };

// The functions without `heif_`. Filled once, then only read, so it may cross threads.
typedef struct __attribute__((swift_attr("@Sendable"))) HEIFFunctions {
  void *(*context_alloc)(void);
  void (*context_free)(void *context);
  HEIFError (*context_read_from_memory_without_copy)(
      void *context, const void *bytes, size_t count, const void *options);
  HEIFError (*context_get_primary_image_handle)(void *context, void **handle);
  void (*image_handle_release)(const void *handle);
  int (*image_handle_get_width)(const void *handle);
  int (*image_handle_get_height)(const void *handle);
  int (*image_handle_has_alpha_channel)(const void *handle);
  HEIFError (*decode_image)(const void *handle, void **image, int colorspace, int chroma, const void *options);
  int (*image_get_width)(const void *image, int channel);
  int (*image_get_height)(const void *image, int channel);
  const uint8_t *(*image_get_plane_readonly)(const void *image, int channel, int *stride);
  void (*image_release)(const void *image);
} HEIFFunctions;

// Fills `functions` from an opened library. Returns the name of the first function that it lacks, or null.
static inline const char *heif_find_functions(void *library, HEIFFunctions *functions) {
#define HEIF_FIND(name) \
  functions->name = (__typeof__(functions->name))dlsym(library, "heif_" #name); \
  if (!functions->name) return "heif_" #name;
  HEIF_FIND(context_alloc)
  HEIF_FIND(context_free)
  HEIF_FIND(context_read_from_memory_without_copy)
  HEIF_FIND(context_get_primary_image_handle)
  HEIF_FIND(image_handle_release)
  HEIF_FIND(image_handle_get_width)
  HEIF_FIND(image_handle_get_height)
  HEIF_FIND(image_handle_has_alpha_channel)
  HEIF_FIND(decode_image)
  HEIF_FIND(image_get_width)
  HEIF_FIND(image_get_height)
  HEIF_FIND(image_get_plane_readonly)
  HEIF_FIND(image_release)
#undef HEIF_FIND
  return NULL;
}
