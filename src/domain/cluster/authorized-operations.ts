/**
 * The operations that a client may perform, as the bit field of KIP-430 (bit = code of the ACL operation). Without an
 * authorizer everything that the resource knows is allowed.
 */

/** The field's value when nobody asked for it. */
export const OPERATIONS_NOT_ASKED = -2147483648

/** READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS. */
export const ALL_TOPIC_OPERATIONS = 3576

/** CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE. */
export const ALL_CLUSTER_OPERATIONS = 8096

/** READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS. */
export const ALL_GROUP_OPERATIONS = 3400
