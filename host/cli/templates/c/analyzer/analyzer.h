#include "vendor/jackfield/jackfield.h"

extern const jf_extension word_count;
