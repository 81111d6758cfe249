// The parts of pages that are not text of a run: their style and their script.
#pragma once

/// The style sheet of the page about a detection.
const char *gpunoisy_page_style(void);

/// The rest of the style sheet of the page that compares runs.
const char *gpunoisy_page_comparison_style(void);

/// The script of the page about a detection.
const char *gpunoisy_page_script(void);
