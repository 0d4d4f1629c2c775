/** Mirrors secrets from AWS Secrets Manager to Azure Key Vault when they are rotated. */
@NullMarked
package io.dualkey.examples.mirror;

import org.jspecify.annotations.NullMarked;
