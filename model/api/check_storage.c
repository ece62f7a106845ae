#include "model/api/checks.h"
void claim_spec_check(struct check *c, const struct val *v, const struct path *p) { (void)c; (void)v; (void)p; }
void pvc_check(struct check *c, const struct object *o) { (void)c; (void)o; }
void pv_check(struct check *c, const struct object *o) { (void)c; (void)o; }
void storage_class_check(struct check *c, const struct object *o) { (void)c; (void)o; }
void role_check(struct check *c, const struct object *o) { (void)c; (void)o; }
void binding_check(struct check *c, const struct object *o) { (void)c; (void)o; }
void quota_check(struct check *c, const struct object *o) { (void)c; (void)o; }
void priority_class_check(struct check *c, const struct object *o) { (void)c; (void)o; }
void hpa_check(struct check *c, const struct object *o) { (void)c; (void)o; }
void pdb_check(struct check *c, const struct object *o) { (void)c; (void)o; }
void crd_check(struct check *c, const struct object *o) { (void)c; (void)o; }
void webhook_check(struct check *c, const struct object *o) { (void)c; (void)o; }
