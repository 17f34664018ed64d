/* Between structs and JSON, by their fields. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Schemas. */

/* Adds a value that is there as JSON text. */
static void add_json(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const char *json) {
    yyjson_doc *read = yyjson_read(json, strlen(json), YYJSON_READ_NOFLAG);
    yyjson_mut_obj_add_val(doc, object, key, yyjson_val_mut_copy(doc, yyjson_doc_get_root(read)));
    yyjson_doc_free(read);
}

/* What the reference to a tensor of this shape looks like. */
static void add_tensor_schema(yyjson_mut_doc *doc, yyjson_mut_val *schema, const char *shape) {
    yyjson_mut_obj_add_str(doc, schema, "type", "object");
    add_json(doc, schema, "properties",
             "{\"$tensor\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{64}$\"},"
             "\"shape\":{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0},\"maxItems\":8},"
             "\"dtype\":{\"enum\":[\"f32\"]}}");
    add_json(doc, schema, "required", "[\"$tensor\",\"shape\",\"dtype\"]");
    yyjson_mut_obj_add_bool(doc, schema, "additionalProperties", false);
    yyjson_mut_val *tensor = yyjson_mut_obj_add_obj(doc, schema, "x-tensor");
    if (shape != NULL) add_json(doc, tensor, "shape", shape);
}

static yyjson_mut_val *field_schema(yyjson_mut_doc *doc, const jf_field *field, bool written) {
    yyjson_mut_val *schema = yyjson_mut_obj(doc);
    static const char *const names[] = {
        [JF_BOOL] = "boolean",  [JF_INT] = "integer",      [JF_UINT] = "integer",
        [JF_NUMBER] = "number", [JF_TEXT] = "string",      [JF_TEXT_FILE] = "string",
        [JF_TEXT_FILES] = "string",
    };
    if (field->type == JF_JSON_IN || field->type == JF_JSON_OUT) {
        if (field->schema != NULL) {
            yyjson_doc *read = yyjson_read(field->schema, strlen(field->schema), YYJSON_READ_NOFLAG);
            schema = yyjson_val_mut_copy(doc, yyjson_doc_get_root(read));
            yyjson_doc_free(read);
        }
    } else if (field->type == JF_TENSOR) {
        add_tensor_schema(doc, schema, field->schema);
    } else {
        yyjson_mut_obj_add_str(doc, schema, "type", names[field->type]);
    }
    if (field->type == JF_TEXT_FILE) yyjson_mut_obj_add_str(doc, schema, "format", "jackfield-text-file");
    if (field->type == JF_TEXT_FILES) yyjson_mut_obj_add_str(doc, schema, "format", "jackfield-text-files");
    if (field->minimum != NULL) {
        add_json(doc, schema, "minimum", field->minimum);
    } else if (field->type == JF_UINT) {
        yyjson_mut_obj_add_uint(doc, schema, "minimum", 0);
    }
    if (field->maximum != NULL) add_json(doc, schema, "maximum", field->maximum);
    if (field->description != NULL) yyjson_mut_obj_add_str(doc, schema, "description", field->description);
    if (field->fallback != NULL && !written) add_json(doc, schema, "default", field->fallback);
    return schema;
}

yyjson_mut_val *jf_schema(yyjson_mut_doc *doc, jf_shape shape, bool written, bool strict) {
    yyjson_mut_val *schema = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
    yyjson_mut_obj_add_str(doc, schema, "type", "object");
    yyjson_mut_val *properties = yyjson_mut_obj_add_obj(doc, schema, "properties");
    yyjson_mut_val *required = yyjson_mut_arr(doc);
    for (const jf_field *field = shape.fields; field != NULL && field->name != NULL; field++) {
        yyjson_mut_obj_add_val(doc, properties, field->name, field_schema(doc, field, written));
        if (written || field->fallback == NULL) yyjson_mut_arr_add_str(doc, required, field->name);
    }
    if (yyjson_mut_arr_size(required) > 0) yyjson_mut_obj_add_val(doc, schema, "required", required);
    if (strict) yyjson_mut_obj_add_bool(doc, schema, "additionalProperties", false);
    return schema;
}

/* Reading. */

static jf_text shown(jf_call *call, yyjson_val *value) {
    if (yyjson_is_str(value)) return jf_string("a string");
    if (yyjson_is_arr(value)) return jf_string("a list");
    if (yyjson_is_obj(value)) return jf_string("an object");
    size_t length;
    char *text = yyjson_val_write(value, YYJSON_WRITE_NOFLAG, &length);
    if (text == NULL) return jf_string("nothing");
    jf_text copy = jf_copy(call, (jf_text){ text, length });
    free(text);
    return copy;
}

static jf_result misfit(jf_call *call, jf_failure_kind kind, const char *name, const char *wanted, yyjson_val *found) {
    jf_text text = shown(call, found);
    return jf_fail(call, kind, "`%s`: expected %s, found %.*s", name, wanted, (int)text.length, text.data);
}

static double bound(const char *json) {
    yyjson_doc *read = yyjson_read(json, strlen(json), YYJSON_READ_NOFLAG);
    double number = yyjson_get_num(yyjson_doc_get_root(read));
    yyjson_doc_free(read);
    return number;
}

static jf_result in_bounds(jf_call *call, jf_failure_kind kind, const jf_field *field, yyjson_val *value) {
    double number = yyjson_get_num(value);
    const char *than = NULL, *side = NULL;
    if (field->minimum != NULL && number < bound(field->minimum)) than = field->minimum, side = "less";
    if (field->maximum != NULL && number > bound(field->maximum)) than = field->maximum, side = "more";
    if (than == NULL) return JF_OK;
    jf_text text = shown(call, value);
    return jf_fail(call, kind, "`%s`: %.*s is %s than %s", field->name, (int)text.length, text.data, side, than);
}

static jf_text text_of(yyjson_val *value) { return (jf_text){ yyjson_get_str(value), yyjson_get_len(value) }; }

static jf_result read_file(jf_call *call, jf_failure_kind kind, const char *name, yyjson_val *value, jf_text_file *to) {
    yyjson_val *path = yyjson_obj_get(value, "path"), *text = yyjson_obj_get(value, "text");
    if (!yyjson_is_str(path) || !yyjson_is_str(text)) return misfit(call, kind, name, "a file", value);
    *to = (jf_text_file){ text_of(path), text_of(text) };
    return JF_OK;
}

static jf_result read_files(jf_call *call, jf_failure_kind kind, const char *name, yyjson_val *value, jf_text_files *to) {
    if (!yyjson_is_arr(value)) return misfit(call, kind, name, "a list of files", value);
    jf_text_file *files = jf_alloc(call, yyjson_arr_size(value) * sizeof *files);
    *to = (jf_text_files){ files, yyjson_arr_size(value) };
    size_t index, count;
    yyjson_val *file;
    yyjson_arr_foreach(value, index, count, file) JF_TRY(read_file(call, kind, name, file, &files[index]));
    return JF_OK;
}

static jf_result read_field(jf_call *call, jf_failure_kind kind, const jf_field *field, yyjson_val *value, void *to) {
    switch (field->type) {
    case JF_BOOL:
        if (!yyjson_is_bool(value)) return misfit(call, kind, field->name, "a truth value", value);
        *(bool *)to = yyjson_get_bool(value);
        return JF_OK;
    case JF_INT:
        if (!yyjson_is_int(value) || (yyjson_is_uint(value) && yyjson_get_uint(value) > INT64_MAX)) {
            return misfit(call, kind, field->name, "an integer", value);
        }
        *(int64_t *)to = yyjson_get_sint(value);
        return in_bounds(call, kind, field, value);
    case JF_UINT:
        if (!yyjson_is_uint(value)) return misfit(call, kind, field->name, "an integer of at least 0", value);
        *(uint64_t *)to = yyjson_get_uint(value);
        return in_bounds(call, kind, field, value);
    case JF_NUMBER:
        if (!yyjson_is_num(value)) return misfit(call, kind, field->name, "a number", value);
        *(double *)to = yyjson_get_num(value);
        return in_bounds(call, kind, field, value);
    case JF_TEXT:
        if (!yyjson_is_str(value)) return misfit(call, kind, field->name, "a string", value);
        *(jf_text *)to = text_of(value);
        return JF_OK;
    case JF_TEXT_FILE:
        return read_file(call, kind, field->name, value, to);
    case JF_TEXT_FILES:
        return read_files(call, kind, field->name, value, to);
    case JF_JSON_IN:
        *(yyjson_val **)to = value;
        return JF_OK;
    case JF_TENSOR:
        return jf_read_tensor(call, kind, field->name, value, to);
    case JF_JSON_OUT:
        break;
    }
    return jf_fail(call, JF_INTERNAL, "`%s` is of a type that is only written", field->name);
}

static const jf_field *field_named(jf_shape shape, const char *name, size_t length) {
    for (const jf_field *field = shape.fields; field != NULL && field->name != NULL; field++) {
        if (strlen(field->name) == length && memcmp(field->name, name, length) == 0) return field;
    }
    return NULL;
}

/* The names of all fields, in ticks. */
static jf_text names_of(jf_call *call, jf_shape shape) {
    jf_text names = jf_string("");
    for (const jf_field *field = shape.fields; field != NULL && field->name != NULL; field++) {
        const char *comma = names.length > 0 ? ", " : "";
        names = jf_format(call, "%.*s%s`%s`", (int)names.length, names.data, comma, field->name);
    }
    return names.length > 0 ? names : jf_string("none");
}

jf_result jf_read_fields(jf_call *call, jf_failure_kind kind, jf_shape shape, yyjson_val *from, bool strict, void *to) {
    if (!yyjson_is_obj(from)) {
        jf_text text = shown(call, from);
        return jf_fail(call, kind, "expected an object, found %.*s", (int)text.length, text.data);
    }
    size_t index, count;
    yyjson_val *key, *value;
    yyjson_obj_foreach(from, index, count, key, value) {
        if (strict && field_named(shape, yyjson_get_str(key), yyjson_get_len(key)) == NULL) {
            jf_text names = names_of(call, shape);
            const char *name = yyjson_get_str(key);
            return jf_fail(call, kind, "unknown key `%s`, expected %.*s", name, (int)names.length, names.data);
        }
    }
    for (const jf_field *field = shape.fields; field != NULL && field->name != NULL; field++) {
        yyjson_val *found = yyjson_obj_get(from, field->name);
        if (found == NULL && field->fallback == NULL) return jf_fail(call, kind, "missing `%s`", field->name);
        if (found == NULL) JF_TRY(jf_parse(call, JF_INTERNAL, jf_string(field->fallback), &found));
        JF_TRY(read_field(call, kind, field, found, (char *)to + field->offset));
    }
    return JF_OK;
}

/* Writing. */

jf_result jf_write_fields(jf_call *call, jf_shape shape, const void *from, yyjson_mut_val **to) {
    yyjson_mut_doc *doc = jf_json(call);
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    for (const jf_field *field = shape.fields; field != NULL && field->name != NULL; field++) {
        const void *at = (const char *)from + field->offset;
        yyjson_mut_val *value = NULL;
        switch (field->type) {
        case JF_BOOL: value = yyjson_mut_bool(doc, *(const bool *)at); break;
        case JF_INT: value = yyjson_mut_sint(doc, *(const int64_t *)at); break;
        case JF_UINT: value = yyjson_mut_uint(doc, *(const uint64_t *)at); break;
        case JF_NUMBER: value = yyjson_mut_real(doc, *(const double *)at); break;
        case JF_TEXT: {
            const jf_text *text = at;
            value = yyjson_mut_strn(doc, text->data == NULL ? "" : text->data, text->length);
            break;
        }
        case JF_JSON_OUT: value = *(yyjson_mut_val *const *)at; break;
        case JF_TENSOR: value = jf_write_tensor(call, at); break;
        case JF_JSON_IN:
        case JF_TEXT_FILE:
        case JF_TEXT_FILES:
            return jf_fail(call, JF_INTERNAL, "`%s` is of a type that is only read", field->name);
        }
        if (value == NULL) value = yyjson_mut_null(doc);
        yyjson_mut_obj_add_val(doc, object, field->name, value);
    }
    *to = object;
    return JF_OK;
}
