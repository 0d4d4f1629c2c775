/** Spring Boot auto-configuration for secrets that rotate. */
@NullMarked
package io.dualkey.secrets.spring;

import org.jspecify.annotations.NullMarked;
