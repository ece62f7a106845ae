/* Short spellings for rows of field tables. */
#ifndef PODWIRE_ROWS_H
#define PODWIRE_ROWS_H

#include "model/api/field.h"

#define ROW(kind, key, T, member)             { .name = key, .type = kind, .at = (uint32_t)offsetof(T, member) }
#define ROW_NEED(kind, key, T, member)        { .name = key, .type = kind, .flags = FIELD_REQUIRED, .at = (uint32_t)offsetof(T, member) }
#define ROW_DFLT(kind, key, T, member, value) { .name = key, .type = kind, .at = (uint32_t)offsetof(T, member), .dflt = value, .has_dflt = true }
#define ROW_ENUM(key, T, member, list)        { .name = key, .type = F_ENUM, .at = (uint32_t)offsetof(T, member), .names = list }
#define ROW_ENUM_DFLT(key, T, member, list, value) \
	{ .name = key, .type = F_ENUM, .at = (uint32_t)offsetof(T, member), .names = list, .dflt = value, .has_dflt = true }
#define ROW_ENUM_PTR(key, T, member, list)    { .name = key, .type = F_ENUM, .flags = FIELD_POINTER, .at = (uint32_t)offsetof(T, member), .names = list }
#define ROW_ENUM_PTR_DFLT(key, T, member, list, value) \
	{ .name = key, .type = F_ENUM, .flags = FIELD_POINTER, .at = (uint32_t)offsetof(T, member), .names = list, .dflt = value, .has_dflt = true }
#define ROW_STRUCT(key, T, member, table)     { .name = key, .type = F_STRUCT, .at = (uint32_t)offsetof(T, member), .sub = table }
#define ROW_HERE(key, table)                  { .name = key, .type = F_STRUCT, .at = 0, .sub = table }   /* its fields lie in the same struct */
#define ROW_PTR(key, T, member, S, table)     { .name = key, .type = F_PTR, .at = (uint32_t)offsetof(T, member), .size = sizeof(S), .sub = table }
#define ROW_LIST(key, T, member, S, table)    { .name = key, .type = F_LIST, .at = (uint32_t)offsetof(T, member), .size = sizeof(S), .sub = table }
#define ROW_KEEP(key)                         { .name = key, .type = F_KEEP, .flags = FIELD_KEPT }
#define ROW_RAW(key, T, member, table)        { .name = key, .type = F_RAW, .at = (uint32_t)offsetof(T, member), .sub = table }
#define KEPT(kind, key)                       { .name = key, .type = kind, .flags = FIELD_KEPT }
#define KEPT_DFLT(kind, key, json)            { .name = key, .type = kind, .flags = FIELD_KEPT, .text = json }
#define ROW_TEXT(kind, key, T, member, json)  { .name = key, .type = kind, .at = (uint32_t)offsetof(T, member), .text = json }
#define ROW_RAW_TEXT(key, T, member, table, json)    { .name = key, .type = F_RAW, .at = (uint32_t)offsetof(T, member), .sub = table, .text = json }
#define ROW_STRUCT_TEXT(key, T, member, table, json) { .name = key, .type = F_STRUCT, .at = (uint32_t)offsetof(T, member), .sub = table, .text = json }
#define KEPT_SUB(key, table)                  { .name = key, .type = F_STRUCT, .flags = FIELD_KEPT, .sub = table }
#define KEPT_LIST(key, table)                 { .name = key, .type = F_LIST, .flags = FIELD_KEPT, .sub = table }
#define KEPT_MAP(key, table)                  { .name = key, .type = F_MAP, .flags = FIELD_KEPT, .sub = table }
#define ROW_TOP                               KEPT(F_STR, "apiVersion"), KEPT(F_STR, "kind"), { .name = "metadata", .type = F_NONE, .flags = FIELD_KEPT }        /* beside spec; metadata is meta.c's */

#endif
