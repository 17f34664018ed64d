/* Describes a hundred thousand extensions, each of another name. */
#include <stdio.h>
#include <stdlib.h>

#include "plugin.h"

void __component_type_object_force_link_plugin(void) {}

void exports_jackfield_plugin_meta_describe(exports_jackfield_plugin_meta_list_descriptor_t *ret) {
    size_t count = 100000;
    jackfield_plugin_types_descriptor_t *offers = calloc(count, sizeof *offers);
    plugin_string_t kind, version, summary, schema;
    plugin_string_set(&kind, "analyzer");
    plugin_string_set(&version, "1.0.0");
    plugin_string_set(&summary, "One of many");
    plugin_string_set(&schema, "{\"type\":\"object\"}");
    for (size_t n = 0; n < count; n++) {
        char *name = malloc(16);
        sprintf(name, "many-%zu", n);
        offers[n] = (jackfield_plugin_types_descriptor_t){
            .kind = kind, .version = version, .summary = summary,
            .config_schema = schema, .input_schema = schema, .output_schema = schema,
        };
        plugin_string_set(&offers[n].name, name);
    }
    *ret = (exports_jackfield_plugin_meta_list_descriptor_t){ offers, count };
}

/* The one of the bindings would free what is shared, once for each. */
__attribute__((__export_name__("cabi_post_jackfield:plugin/meta@0.1.0#describe")))
void __wasm_export_exports_jackfield_plugin_meta_describe_post_return(uint8_t *described) {
    (void)described;
}

bool exports_jackfield_plugin_extension_open(plugin_string_t *kind, plugin_string_t *name, plugin_string_t *config,
                                             exports_jackfield_plugin_extension_failure_t *err) {
    (void)kind, (void)name, (void)config, (void)err;
    return true;
}

void exports_jackfield_plugin_extension_call(exports_jackfield_plugin_extension_list_request_t *batch,
                                             exports_jackfield_plugin_extension_list_result_document_failure_t *ret) {
    (void)batch;
    ret->len = 0;
    ret->ptr = NULL;
}
