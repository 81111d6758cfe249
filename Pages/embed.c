// The style and the script of pages as text; the order of the scripts is the order in which they run.
#include "CPages.h"

static const unsigned char style[] = {
#embed "detection.css"
    , 0};
static const unsigned char comparison_style[] = {
#embed "comparison.css"
    , 0};
static const unsigned char script[] = {
#embed "detection.js"
    ,
#embed "verdicts.js"
    ,
#embed "grid.js"
    ,
#embed "groups.js"
    ,
#embed "large.js"
    ,
#embed "batch.js"
    ,
#embed "blind.js"
    , 0};

const char *gpunoisy_page_style(void) { return (const char *)style; }
const char *gpunoisy_page_comparison_style(void) { return (const char *)comparison_style; }
const char *gpunoisy_page_script(void) { return (const char *)script; }
