/* Between structs and JSON, by their fields. */
#include "internal.h"

/* Schemas. */

/* Adds a value that is there as JSON text; nothing where it is not JSON. */
static void add_json(jf_call *call, jf_json *object, const char *key, const char *json) {
    const jf_json *value;
    if (jf_json_read(call, JF_INTERNAL, jf_string(json), &value) == JF_OK) jf_json_add(call, object, key, value);
}

static void add_string(jf_call *call, jf_json *object, const char *key, const char *text) {
    jf_json_add(call, object, key, jf_json_string(call, text));
}

/* What the reference to a tensor of this shape looks like. */
static void add_tensor_schema(jf_call *call, jf_json *schema, const char *shape) {
    add_string(call, schema, "type", "object");
    add_json(call, schema, "properties",
             "{\"$tensor\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{64}$\"},"
             "\"shape\":{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0},\"maxItems\":8},"
             "\"dtype\":{\"enum\":[\"f32\"]}}");
    add_json(call, schema, "required", "[\"$tensor\",\"shape\",\"dtype\"]");
    jf_json_add(call, schema, "additionalProperties", jf_json_bool(call, false));
    jf_json *tensor = jf_json_object(call);
    if (shape != NULL) add_json(call, tensor, "shape", shape);
    jf_json_add(call, schema, "x-tensor", tensor);
}

/* A copy of an object to which members can be added; an empty one of anything else. */
static jf_json *object_of(jf_call *call, const jf_json *from) {
    jf_json *object = jf_json_object(call);
    for (size_t at = 0; at < jf_json_count(from); at++) {
        jf_json_add_key(call, object, jf_json_key(from, at), jf_json_item(from, at));
    }
    return object;
}

static const jf_json *field_schema(jf_call *call, const jf_field *field, bool written) {
    static const char *const names[] = {
        [JF_BOOL] = "boolean",  [JF_INT] = "integer",      [JF_UINT] = "integer",
        [JF_NUMBER] = "number", [JF_TEXT] = "string",      [JF_TEXT_FILE] = "string",
        [JF_TEXT_FILES] = "string",
    };
    const jf_json *given = NULL;
    bool is_json = field->type == JF_JSON_IN || field->type == JF_JSON_OUT;
    if (is_json && field->schema != NULL) {
        bool is_read = jf_json_read(call, JF_INTERNAL, jf_string(field->schema), &given) == JF_OK;
        /* `true` or `false` has no room for a description. */
        if (is_read && jf_json_type_of(given) != JF_JSON_OBJECT) return given;
    }
    jf_json *schema = object_of(call, given);
    if (field->type == JF_TENSOR) {
        add_tensor_schema(call, schema, field->schema);
    } else if (!is_json) {
        add_string(call, schema, "type", names[field->type]);
    }
    if (field->type == JF_TEXT_FILE) add_string(call, schema, "format", "jackfield-text-file");
    if (field->type == JF_TEXT_FILES) add_string(call, schema, "format", "jackfield-text-files");
    if (field->minimum != NULL) {
        add_json(call, schema, "minimum", field->minimum);
    } else if (field->type == JF_UINT) {
        jf_json_add(call, schema, "minimum", jf_json_uint(call, 0));
    }
    if (field->maximum != NULL) add_json(call, schema, "maximum", field->maximum);
    if (field->description != NULL) add_string(call, schema, "description", field->description);
    if (field->fallback != NULL && !written) add_json(call, schema, "default", field->fallback);
    return schema;
}

jf_json *jf_schema(jf_call *call, jf_shape shape, bool written, bool strict) {
    jf_json *schema = jf_json_object(call), *properties = jf_json_object(call), *required = jf_json_list(call);
    for (const jf_field *field = shape.fields; field != NULL && field->name != NULL; field++) {
        jf_json_add(call, properties, field->name, field_schema(call, field, written));
        if (written || field->fallback == NULL) jf_json_push(call, required, jf_json_string(call, field->name));
    }
    add_string(call, schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
    add_string(call, schema, "type", "object");
    jf_json_add(call, schema, "properties", properties);
    if (jf_json_count(required) > 0) jf_json_add(call, schema, "required", required);
    if (strict) jf_json_add(call, schema, "additionalProperties", jf_json_bool(call, false));
    return schema;
}

/* Reading. */

static jf_text shown(jf_call *call, const jf_json *value) {
    jf_text text;
    switch (jf_json_type_of(value)) {
    case JF_JSON_TEXT: return jf_string("a string");
    case JF_JSON_LIST: return jf_string("a list");
    case JF_JSON_OBJECT: return jf_string("an object");
    default: return jf_json_write(call, value, &text) == JF_OK ? text : jf_string("nothing");
    }
}

static jf_result misfit(jf_call *call, jf_failure_kind kind, const char *name, const char *wanted, const jf_json *found) {
    jf_text text = shown(call, found);
    return jf_fail(call, kind, "`%s`: expected %s, found %.*s", name, wanted, (int)text.length, text.data);
}

static double bound(jf_call *call, const char *json) {
    double number = 0;
    const jf_json *value;
    if (jf_json_read(call, JF_INTERNAL, jf_string(json), &value) == JF_OK) jf_json_as_number(value, &number);
    return number;
}

static jf_result in_bounds(jf_call *call, jf_failure_kind kind, const jf_field *field, const jf_json *value) {
    double number = 0;
    jf_json_as_number(value, &number);
    const char *than = NULL, *side = NULL;
    if (field->minimum != NULL && number < bound(call, field->minimum)) than = field->minimum, side = "less";
    if (field->maximum != NULL && number > bound(call, field->maximum)) than = field->maximum, side = "more";
    if (than == NULL) return JF_OK;
    jf_text text = shown(call, value);
    return jf_fail(call, kind, "`%s`: %.*s is %s than %s", field->name, (int)text.length, text.data, side, than);
}

static jf_result read_file(jf_call *call, jf_failure_kind kind, const char *name, const jf_json *value, jf_text_file *to) {
    bool is_file = jf_json_as_text(jf_json_get(value, "path"), &to->path) &&
                   jf_json_as_text(jf_json_get(value, "text"), &to->text);
    return is_file ? JF_OK : misfit(call, kind, name, "a file", value);
}

static jf_result read_files(jf_call *call, jf_failure_kind kind, const char *name, const jf_json *value, jf_text_files *to) {
    if (jf_json_type_of(value) != JF_JSON_LIST) return misfit(call, kind, name, "a list of files", value);
    size_t count = jf_json_count(value);
    jf_text_file *files = jf_alloc(call, count * sizeof *files);
    *to = (jf_text_files){ files, count };
    for (size_t at = 0; at < count; at++) JF_TRY(read_file(call, kind, name, jf_json_item(value, at), &files[at]));
    return JF_OK;
}

static jf_result read_field(jf_call *call, jf_failure_kind kind, const jf_field *field, const jf_json *value, void *to) {
    const char *name = field->name;
    switch (field->type) {
    case JF_BOOL: return jf_json_as_bool(value, to) ? JF_OK : misfit(call, kind, name, "a truth value", value);
    case JF_INT:
        if (!jf_json_as_int(value, to)) return misfit(call, kind, name, "an integer", value);
        return in_bounds(call, kind, field, value);
    case JF_UINT:
        if (!jf_json_as_uint(value, to)) return misfit(call, kind, name, "an integer of at least 0", value);
        return in_bounds(call, kind, field, value);
    case JF_NUMBER:
        if (!jf_json_as_number(value, to)) return misfit(call, kind, name, "a number", value);
        return in_bounds(call, kind, field, value);
    case JF_TEXT: return jf_json_as_text(value, to) ? JF_OK : misfit(call, kind, name, "a string", value);
    case JF_TEXT_FILE: return read_file(call, kind, name, value, to);
    case JF_TEXT_FILES: return read_files(call, kind, name, value, to);
    case JF_JSON_IN: *(const jf_json **)to = value; return JF_OK;
    case JF_TENSOR: return jf_read_tensor(call, kind, name, value, to);
    case JF_JSON_OUT: break;
    }
    return jf_fail(call, JF_INTERNAL, "`%s` is of a type that is only written", name);
}

static const jf_field *field_named(jf_shape shape, jf_text name) {
    for (const jf_field *field = shape.fields; field != NULL && field->name != NULL; field++) {
        if (jf_same_text(jf_string(field->name), name)) return field;
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

jf_result jf_read_fields(jf_call *call, jf_failure_kind kind, jf_shape shape, const jf_json *from, bool strict, void *to) {
    if (jf_json_type_of(from) != JF_JSON_OBJECT) {
        jf_text text = shown(call, from);
        return jf_fail(call, kind, "expected an object, found %.*s", (int)text.length, text.data);
    }
    for (size_t at = 0; strict && at < jf_json_count(from); at++) {
        jf_text key = jf_json_key(from, at);
        if (field_named(shape, key) == NULL) {
            jf_text names = names_of(call, shape);
            return jf_fail(call, kind, "unknown key `%s`, expected %.*s", key.data, (int)names.length, names.data);
        }
    }
    for (const jf_field *field = shape.fields; field != NULL && field->name != NULL; field++) {
        const jf_json *found = jf_json_get(from, field->name);
        if (found == NULL && field->fallback == NULL) return jf_fail(call, kind, "missing `%s`", field->name);
        if (found == NULL) JF_TRY(jf_json_read(call, JF_INTERNAL, jf_string(field->fallback), &found));
        JF_TRY(read_field(call, kind, field, found, (char *)to + field->offset));
    }
    return JF_OK;
}

/* Writing. */

jf_result jf_write_fields(jf_call *call, jf_shape shape, const void *from, jf_json **to) {
    jf_json *object = jf_json_object(call);
    for (const jf_field *field = shape.fields; field != NULL && field->name != NULL; field++) {
        const void *at = (const char *)from + field->offset;
        const jf_json *value = NULL;
        switch (field->type) {
        case JF_BOOL: value = jf_json_bool(call, *(const bool *)at); break;
        case JF_INT: value = jf_json_int(call, *(const int64_t *)at); break;
        case JF_UINT: value = jf_json_uint(call, *(const uint64_t *)at); break;
        case JF_NUMBER: value = jf_json_number(call, *(const double *)at); break;
        case JF_TEXT: value = jf_json_borrow(call, *(const jf_text *)at); break;
        case JF_JSON_OUT: value = *(const jf_json *const *)at; break;
        case JF_TENSOR: value = jf_write_tensor(call, at); break;
        case JF_JSON_IN:
        case JF_TEXT_FILE:
        case JF_TEXT_FILES:
            return jf_fail(call, JF_INTERNAL, "`%s` is of a type that is only read", field->name);
        }
        jf_json_add_borrowed(call, object, jf_string(field->name), value);
    }
    *to = object;
    return JF_OK;
}
