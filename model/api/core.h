/* The core kinds as structs: Namespace, Node, Pod, Service, Endpoints, EndpointSlice, ConfigMap, Secret. What has no effect on the
 * network stays in the document (object.doc). Source of every field: Kubernetes 1.36 staging/src/k8s.io/api/core/v1/types.go. */
#ifndef PODWIRE_CORE_H
#define PODWIRE_CORE_H

#include "model/api/object.h"

enum l4 { L4_NONE, L4_TCP, L4_UDP, L4_SCTP };           /* L4_NONE: absent */
extern const char *const l4_names[];                    /* "", "TCP", "UDP", "SCTP" */
uint8_t l4_number(uint8_t l4);                          /* its number in the IP header; absent: TCP's */
const char *l4_name(uint8_t number);                    /* as objects spell it: TCP, UDP, SCTP; ICMP, which no field may say */
enum ip_family { FAMILY_NONE, FAMILY_IPV4, FAMILY_IPV6 };
extern const char *const family_names[];                /* "", "IPv4", "IPv6" */
enum cond_status { COND_NONE, COND_TRUE, COND_FALSE, COND_UNKNOWN };
extern const char *const cond_status_names[];           /* "", "True", "False", "Unknown" */
struct condition { str type; uint8_t status; str reason, message; nsec changed, heartbeat; int64_t observed; };
typedef LIST(struct condition) condition_list;
const struct condition *condition_get(const condition_list *, const char *type);
extern const struct field condition_fields[];

struct namespace_ { struct object o; str phase; };

/* ---- Node */
struct taint { str key, value, effect; nsec added; };
struct node_address { str type, address; };
struct node {
	struct object o;
	str pod_cidr; str_list pod_cidrs;
	str provider_id;
	bool unschedulable;
	LIST(struct taint) taints;
	LIST(struct node_address) addresses;
	condition_list conditions;
	pair_list capacity, allocatable;
	str kubelet_version, kernel_version, os_image, runtime;         /* status.nodeInfo */
};

/* ---- Pod */
struct container_port { str name; int32_t port, host_port; str host_ip; uint8_t protocol; };
struct env_var { str name, value; const struct val *from; /* valueFrom as given; NULL: none */ };
struct env_from { str prefix; const struct val *config_map, *secret; };  /* references as given */
struct volume_mount { str name, path, sub_path; bool read_only; };
struct http_header { str name, value; };
enum probe_handler { PROBE_NONE, PROBE_HTTP, PROBE_TCP, PROBE_EXEC, PROBE_GRPC, PROBE_SLEEP };
struct http_get { str path, host, scheme; struct int_or_str port; LIST(struct http_header) headers; };
struct tcp_socket { struct int_or_str port; str host; };
struct exec_action { str_list command; };
struct grpc_action { int32_t port; str service; };
struct sleep_action { int64_t seconds; };
struct probe {
	struct http_get *http; struct tcp_socket *tcp; struct exec_action *exec; struct grpc_action *grpc;
	int32_t initial_delay, period, timeout, success, failure;       /* seconds, counts; defaulted */
	struct opt_int grace;
};
struct lifecycle_handler { struct exec_action *exec; struct http_get *http; struct tcp_socket *tcp; struct sleep_action *sleep; };
struct lifecycle { struct lifecycle_handler *post_start, *pre_stop; };
struct resources { pair_list requests, limits; };
struct restart_rule { str action; const struct val *codes; };           /* codes: exitCodes as given: operator In or NotIn, values */
struct container {
	str name, image;
	str_list command, args;
	LIST(struct container_port) ports;
	LIST(struct env_var) env;
	LIST(struct env_from) env_from;
	str working_dir;                        /* NULL: the image's */
	LIST(struct volume_mount) mounts;
	struct resources resources;
	struct probe *liveness, *readiness, *startup;
	struct lifecycle *lifecycle;
	str restart_policy;                     /* its own; NULL: the Pod's. Init containers: "Always" makes a sidecar */
	LIST(struct restart_rule) restart_rules;
	bool privileged;
	const struct val *security;             /* securityContext as given */
};
typedef LIST(struct container) container_list;
struct volume { str name, claim, config_map, secret, host_path; bool config_map_optional, secret_optional; const struct val *empty_dir, *image /* as given; NULL: it is another */; };
struct toleration { str key, op, value, effect; int64_t seconds; bool has_seconds; };
struct spread {
	int32_t max_skew, min_domains;          /* min_domains 0: not said, counts as 1 */
	str topology_key, when_unsatisfiable, affinity_policy, taints_policy;   /* policies NULL: Honor, Ignore */
	struct selector *selector;
	str_list match_keys;                    /* labels of the Pod that the selector takes over */
};
struct dns_option { str name, value; };
struct dns_config { str_list nameservers, searches; LIST(struct dns_option) options; };
struct host_alias { str ip; str_list hostnames; };
struct pod_spec {
	container_list containers, init_containers, ephemeral;
	LIST(struct volume) volumes;
	str restart_policy;                     /* Always, OnFailure, Never; defaulted */
	int64_t grace;                          /* terminationGracePeriodSeconds; defaulted to 30 */
	str dns_policy;                         /* defaulted to ClusterFirst */
	pair_list node_selector;
	str service_account, node_name, hostname, subdomain, scheduler, priority_class, runtime_class;
	bool host_network, host_pid, host_ipc, share_pid, fqdn_hostname;
	uint8_t enable_service_links;           /* tri */
	const struct val *affinity;
	LIST(struct toleration) tolerations;
	LIST(struct host_alias) host_aliases;
	LIST(str) readiness_gates;              /* conditionType of each */
	LIST(str) scheduling_gates;             /* name of each */
	pair_list overhead;                     /* what its RuntimeClass costs beside the containers */
	struct resources *resources;            /* of the whole Pod; NULL: not said */
	struct opt_int priority;                /* as admitted; unset: its class says (pod_priority in priority.h) */
	str preemption;                         /* preemptionPolicy; NULL: PreemptLowerPriority */
	struct dns_config *dns_config;
	LIST(struct spread) spread;
	int64_t active_deadline; bool has_active_deadline;
	const struct val *security;
};
extern const struct field pod_spec_fields[];

enum container_state { CS_NONE, CS_WAITING, CS_RUNNING, CS_TERMINATED };
struct container_status {
	str name, image;
	uint8_t state;
	bool ready, init;                       /* init: stands in initContainerStatuses */
	uint8_t started;                        /* tri */
	int32_t restarts, exit_code;
	str reason, message;
	nsec started_at, finished_at;
	int32_t last_exit; str last_reason; nsec last_finished;         /* lastState.terminated; last_reason NULL: none */
};
struct pod_ip { ip_addr ip; };
enum pod_phase { POD_PENDING = 1, POD_RUNNING, POD_SUCCEEDED, POD_FAILED, POD_PHASE_UNKNOWN };
extern const char *const pod_phase_names[];     /* "", "Pending", "Running", "Succeeded", "Failed", "Unknown" */
struct pod {
	struct object o;
	const struct pod_spec *spec;            /* never NULL; shared by the Pods of one template */
	str node;                               /* spec.nodeName as bound; NULL: not scheduled */
	uint8_t phase;                          /* enum pod_phase; 0: no status yet */
	bool given;                             /* came with status: respected, not re-invented */
	condition_list conditions;
	LIST(struct container_status) statuses; /* init containers first, each list in spec order */
	ip_addr ip, ip2;                        /* podIP; the second of podIPs (dual stack) */
	nsec start;                             /* status.startTime */
	ip_addr host_ip;
	str hostname;                           /* as set for StatefulSet Pods */
	str reason, message;                    /* status.reason: Evicted … */
};
/* What the whole Pod asks for of a resource, or is limited to, in thousandths: containers and sidecars together or the init container that needs most, what is said for the Pod
 * itself before them, and its overhead. 0: nothing (component-helpers/resource/helpers.go PodRequests, PodLimits). */
int64_t pod_amount(const struct pod_spec *, const char *resource, bool limits);
/* Is a container that has ended with that code started again? By its rules, then its own policy, then the Pod's (pkg/api/v1/pod/util.go ContainerShouldRestart). */
bool container_restarts(const struct pod_spec *, const struct container *, int32_t exit);
bool container_may_restart(const struct pod_spec *, const struct container *); /* with some code */
bool restarts_all(const struct container *, int32_t exit);              /* does a rule say RestartAllContainers of that code? */
bool is_sidecar(const struct container *);      /* an init container with restartPolicy Always */
str pod_host_name(const struct pod *);          /* what hostname(1) says there: spec.hostname, or the Pod's name */
const struct container *pod_container(const struct pod *, const char *name);   /* of its containers, or its init list; NULL */
bool pod_is_ready(const struct pod *);          /* condition Ready is True */
bool pod_is_terminal(const struct pod *);       /* Succeeded or Failed */
/* The number that a port name has in a Pod, as FindPort: name and protocol; app containers, then sidecars. 0: none. */
uint16_t pod_port_by_name(const struct pod_spec *, const char *name, enum l4);

/* ---- Service */
enum svc_type { SVC_NONE, SVC_CLUSTERIP, SVC_NODEPORT, SVC_LOADBALANCER, SVC_EXTERNALNAME };
extern const char *const svc_type_names[];
enum traffic_policy { TP_NONE, TP_CLUSTER, TP_LOCAL };
extern const char *const traffic_policy_names[];
struct svc_port { str name; uint8_t protocol; int32_t port; struct int_or_str target; int32_t node_port; str app_protocol; };
struct lb_port { int32_t port; str protocol, error; };
struct lb_ingress { str ip, hostname, ip_mode; LIST(struct lb_port) ports; };
struct service {
	struct object o;
	uint8_t type;                           /* defaulted */
	pair_list selector;                     /* .set false or nr 0: no selector */
	LIST(struct svc_port) ports;
	str cluster_ip; str_list cluster_ips;   /* "None": headless; assigned ones stand here too */
	str_list families;                      /* ipFamilies */
	str family_policy;
	str_list external_ips;
	str external_name;
	uint8_t external_policy, internal_policy;       /* enum traffic_policy, defaulted */
	str affinity;                           /* "None", "ClientIP" */
	int32_t affinity_seconds;               /* defaulted to 10800 with ClientIP */
	int32_t health_check_node_port;
	bool publish_not_ready;
	uint8_t allocate_node_ports;            /* tri; defaulted to true for LoadBalancer */
	str lb_ip, lb_class;
	str_list lb_source_ranges;
	str traffic_distribution;
	LIST(struct lb_ingress) lb_ingress;     /* status.loadBalancer.ingress */
	condition_list conditions;
};
bool service_is_headless(const struct service *);       /* clusterIP: None */
void service_drop_fields(const struct service *old, struct val *doc);   /* of an update: what the new type has no use for, where it was not changed as well */
bool service_has_vip(const struct service *);           /* has a ClusterIP and is not ExternalName: kube-proxy cares (ShouldSkipService) */

/* ---- EndpointSlice, Endpoints */
struct obj_ref { str kind, ns, name, uid, api; };
struct zone_hint { str name; };
struct ep_hints { LIST(struct zone_hint) for_zones, for_nodes; };
struct endpoint {
	str_list addresses;
	uint8_t ready, serving, terminating;    /* tri; nil is TRI_UNSET: ready nil counts as ready, serving nil as ready */
	str hostname, node, zone;
	struct obj_ref *target;
	struct ep_hints *hints;
};
struct ep_port { str name; uint8_t protocol; struct opt_int port; str app_protocol; };
struct endpointslice {
	struct object o;
	str address_type;                       /* IPv4, IPv6, FQDN */
	LIST(struct endpoint) endpoints;
	LIST(struct ep_port) ports;
	str service;                            /* label kubernetes.io/service-name */
	bool shared;                            /* somebody else holds endpoints.v: who changes them writes them anew */
};
struct ep_address { str ip, hostname, node; struct obj_ref *target; };
struct ep_subset { LIST(struct ep_address) addresses, not_ready; LIST(struct ep_port) ports; };
struct endpoints { struct object o; LIST(struct ep_subset) subsets; };

struct config_map { struct object o; pair_list data; };
struct secret { struct object o; str type; pair_list data; };      /* data: still base 64 */
struct generic { struct object o; };            /* kinds without fields of their own */

extern const struct kind namespace_kind, node_kind, pod_kind, service_kind, endpointslice_kind, endpoints_kind, config_map_kind, secret_kind,
	service_account_kind, pvc_kind, pv_kind, storage_class_kind, event_kind, unknown_kind;

#endif
