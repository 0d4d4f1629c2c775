/**
 * Azure Key Vault as a {@link io.dualkey.secrets.SecretStore}, over the client of the Azure SDK.
 */
@NullMarked
package io.dualkey.secrets.azure;

import org.jspecify.annotations.NullMarked;
