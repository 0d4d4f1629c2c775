/**
 * AWS Secrets Manager as a {@link io.dualkey.secrets.SecretStore}, over the client of the AWS SDK for Java 2.
 */
@NullMarked
package io.dualkey.secrets.aws;

import org.jspecify.annotations.NullMarked;
