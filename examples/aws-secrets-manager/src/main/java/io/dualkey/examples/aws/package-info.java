/** Prints which versions of secrets in AWS Secrets Manager are in force. */
@NullMarked
package io.dualkey.examples.aws;

import org.jspecify.annotations.NullMarked;
