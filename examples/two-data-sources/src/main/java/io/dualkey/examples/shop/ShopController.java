package io.dualkey.examples.shop;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Takes orders and answers how many there are. */
@RestController
class ShopController {

    private final OrderRepository orders;
    private final Sales sales;

    ShopController(OrderRepository orders, Sales sales) {
        this.orders = orders;
        this.sales = sales;
    }

    /** Writes to both databases. */
    @PostMapping("/orders")
    long order(@RequestParam String customer, @RequestParam int amount) {
        orders.save(new Order(customer, amount));
        sales.add(amount);
        return orders.countByCustomer(customer);
    }

    @GetMapping("/sales")
    long sales() {
        return sales.count();
    }
}
