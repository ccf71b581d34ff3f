/** All three plugins in one program, for the comparison with other versions of Grafana's libraries. */
import '../src/datasource/module';
import '../src/module';
import '../src/panel/module';
