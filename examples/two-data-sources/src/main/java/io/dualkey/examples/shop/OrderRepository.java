package io.dualkey.examples.shop;

import org.springframework.data.repository.CrudRepository;

/** The orders. */
interface OrderRepository extends CrudRepository<Order, Long> {

    long countByCustomer(String customer);
}
