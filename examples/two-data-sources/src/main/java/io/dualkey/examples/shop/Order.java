package io.dualkey.examples.shop;

import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import org.jspecify.annotations.Nullable;

/** What a customer has ordered. */
@Entity
@Table(name = "orders")
class Order {

    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private @Nullable Long id;

    private String customer = "";

    private int amount;

    /** For Hibernate. */
    protected Order() {}

    Order(String customer, int amount) {
        this.customer = customer;
        this.amount = amount;
    }

    @Nullable
    Long id() {
        return id;
    }

    String customer() {
        return customer;
    }

    int amount() {
        return amount;
    }
}
