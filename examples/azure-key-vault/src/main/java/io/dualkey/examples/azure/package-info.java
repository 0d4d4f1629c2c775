/** Prints which versions of secrets in an Azure Key Vault are in force. */
@NullMarked
package io.dualkey.examples.azure;

import org.jspecify.annotations.NullMarked;
