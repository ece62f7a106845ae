/* Short spellings for rows of field tables. */
#ifndef PODWIRE_ROWS_H
#define PODWIRE_ROWS_H

#include "model/api/field.h"

#define ROW(kind, key, T, member)             { .name = key, .type = kind, .at = (uint32_t)offsetof(T, member) }
#define ROW_DFLT(kind, key, T, member, value) { .name = key, .type = kind, .at = (uint32_t)offsetof(T, member), .dflt = value, .has_dflt = true }
#define ROW_ENUM(key, T, member, list)        { .name = key, .type = F_ENUM, .at = (uint32_t)offsetof(T, member), .names = list }
#define ROW_ENUM_DFLT(key, T, member, list, value) \
	{ .name = key, .type = F_ENUM, .at = (uint32_t)offsetof(T, member), .names = list, .dflt = value, .has_dflt = true }
#define ROW_STRUCT(key, T, member, table)     { .name = key, .type = F_STRUCT, .at = (uint32_t)offsetof(T, member), .sub = table }
#define ROW_HERE(key, table)                  { .name = key, .type = F_STRUCT, .at = 0, .sub = table }   /* its fields lie in the same struct */
#define ROW_PTR(key, T, member, S, table)     { .name = key, .type = F_PTR, .at = (uint32_t)offsetof(T, member), .size = sizeof(S), .sub = table }
#define ROW_LIST(key, T, member, S, table)    { .name = key, .type = F_LIST, .at = (uint32_t)offsetof(T, member), .size = sizeof(S), .sub = table }
#define ROW_KEEP(key)                         { .name = key, .type = F_KEEP }
#define ROW_KEEP_SUB(key, table)              { .name = key, .type = F_KEEP, .sub = table }

#endif
