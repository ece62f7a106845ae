/* Create-time validation and immutability, kind by kind, as the API server has them. */
#ifndef PODWIRE_CHECKS_H
#define PODWIRE_CHECKS_H

#include "model/api/check.h"
#include "model/api/net.h"
#include "model/api/workload.h"

typedef void kind_check(struct check *, const struct object *);
typedef void kind_check_update(struct check *, const struct object *now, const struct object *old);

kind_check service_check, endpoints_check, endpointslice_check;                         /* check_service.c */
kind_check_update service_check_update, endpointslice_check_update;
kind_check network_policy_check, ingress_check, ingress_class_check;                    /* check_net.c */
kind_check_update ingress_class_check_update;
kind_check pod_check;                                                                   /* check_pod.c */
kind_check_update pod_check_update;
kind_check deployment_check, replicaset_check, statefulset_check, daemonset_check, replication_controller_check, pod_template_check, controller_revision_check;    /* check_workload.c */
kind_check_update selector_check_update, statefulset_check_update, job_check_update, controller_revision_check_update;
kind_check job_check, cron_job_check;                                                   /* check_batch.c */
/* A Pod template: its metadata (whose messages stand at the template itself, as upstream has it), its spec. */
void template_check(struct check *, const struct val *template, const struct path *, const struct val *claims);      /* claims: volumeClaimTemplates, or NULL */
void template_meta_check(struct check *, const struct val *template, const struct path *);
void claim_spec_check(struct check *, const struct val *spec, const struct path *);     /* check_storage.c */
kind_check namespace_check, node_check, config_map_check, secret_check;                 /* check_core.c */
kind_check quota_check, limit_range_check, lease_check, runtime_class_check;                                              /* check_limits.c */
must_be must_be_resource_of_container;  /* validateContainerResourceName */
kind_check_update node_check_update, config_map_check_update, secret_check_update;
kind_check pvc_check, pv_check, storage_class_check;                                    /* check_storage.c */
kind_check_update pvc_check_update, pv_check_update, storage_class_check_update;
kind_check role_check, binding_check, pdb_check, hpa_check, priority_class_check;       /* check_policy.c */
kind_check_update binding_check_update, priority_class_check_update;
kind_check kind_cluster_check, kubeadm_config_check, kube_proxy_config_check, kubelet_config_check, service_cidr_check;       /* check_config.c */
kind_check gateway_class_check, gateway_check, listener_set_check, reference_grant_check, backend_tls_policy_check;          /* check_gateway.c */
kind_check_update gateway_class_check_update;
kind_check http_route_check, grpc_route_check, tls_route_check, plain_route_check;      /* check_routes.c; plain: TCPRoute, UDPRoute */
kind_check virtual_service_check;                                                       /* check_mesh_routes.c */
kind_check destination_rule_check;                                                      /* check_mesh_traffic.c */
kind_check istio_gateway_check, service_entry_check, istio_sidecar_check;               /* check_mesh_servers.c */
kind_check peer_authentication_check, authorization_policy_check, request_authentication_check;         /* check_mesh_auth.c */
kind_check calico_policy_check, calico_tier_check, network_set_check, host_endpoint_check;                                    /* check_calico.c */
kind_check admin_policy_check, cluster_network_policy_check;                            /* check_admin_policy.c */
kind_check crd_check, webhook_check;                                                    /* check_admission.c */

#endif
